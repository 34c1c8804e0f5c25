"""Telphin: conference extensions of a RingMe cloud PBX, over its REST API `ver1.0` and its call event webhooks."""
