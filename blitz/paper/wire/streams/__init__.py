"""The venue's websockets: public market topics, private account topics, and the order entry socket."""
