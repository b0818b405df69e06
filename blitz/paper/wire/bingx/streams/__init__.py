"""BingX's websockets."""
