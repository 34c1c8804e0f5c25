"""2600Hz Kazoo: conferences through Crossbar (REST) and Blackhole (one websocket).

Followed: the reference page of conferences (crossbar/doc/conference.md, mid-2016) and the source of the branches 4.0,
4.2, 4.3, master (2024) and Kazoo 5 (5.2 and later), which differ on the wire: where they disagree, the source
wins.
"""

from adapters.kazoo.adapter import KazooAdapter

__all__ = ["KazooAdapter"]
