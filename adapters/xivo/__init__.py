"""XiVO: voice conferences through xuc, its CTI server: a login over HTTP and one websocket for each account.

Followed: the page "Conferences API" (Cti.getConferenceRooms and after), and what XiVO's own client library (cti.js of
2019 and 2024) sends and expects; the server's source is not public. What is inferred is named where it is used.
"""

from adapters.xivo.adapter import XivoAdapter

__all__ = ["XivoAdapter"]
