"""Who watches what: each room's log of recent events, and the watchers who are told of them."""
