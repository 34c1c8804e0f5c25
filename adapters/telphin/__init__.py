"""Telphin: conference extensions of a RingMe cloud PBX, over its REST API `ver1.0` and its call event webhooks.

Followed are the page "Conference (/conference/)" and what operators of the same PBX and clients of it document of the
rest; where these know nothing, the module that had to choose says so.
"""

from adapters.telphin.adapter import TelphinAdapter

__all__ = ["TelphinAdapter"]
