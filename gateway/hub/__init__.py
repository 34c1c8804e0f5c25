"""Who watches what: each room's log of recent events, and the watchers they are delivered to."""
