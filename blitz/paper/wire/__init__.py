"""The venue's wire: REST, websockets, feeds, faults, control and the state file, around the pure engine."""
