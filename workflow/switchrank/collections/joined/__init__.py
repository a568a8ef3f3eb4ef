"""Several collections of a config put together as one."""
