"""BingX perpetual futures on the wire: its paths, its envelope and codes, its rows, its signatures and its streams."""
