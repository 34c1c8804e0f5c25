"""Bandwidth: conferences of the Catapult voice API, version 1 (REST and callbacks).

Followed: Bandwidth's archived pages of that API (2020), and what its own clients of the time do. Where they disagree,
both forms are accepted.
"""

from adapters.bandwidth.adapter import BandwidthAdapter

__all__ = ["BandwidthAdapter"]
