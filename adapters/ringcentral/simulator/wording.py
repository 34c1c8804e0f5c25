"""How sessions and parties are written: one way in answers, another in notifications.

Inferred: `rcc` is always false; a leg that the API merged shows its reason in answers as well.
"""

from .people import Account, Extension
from .sessions import CONFERENCE_END, HOST, UP, Code, End, Notice, Party, Peer, Session
from .shapes import Json, instant, without_none

_SERVER = "10.28.20.114.TAM"
_TELEPHONY = {
    Code.SETUP: "Ringing",
    Code.PROCEEDING: "Ringing",
    Code.ANSWERED: "CallConnected",
    Code.HOLD: "OnHold",
}


def end(one: End) -> Json:
    """Write one end of a leg."""
    return without_none(
        phoneNumber=one.phone_number, name=one.name, extensionId=one.extension_id, deviceId=one.device_id
    )


# Answers


def session_answer(session: Session) -> Json:
    """Write a session as answers have it, legs that ended included."""
    told = without_none(
        id=session.session_id,
        creationTime=instant(session.created_at),
        origin={"type": session.origin},
        voiceCallToken=session.token,
    )
    return {**told, "parties": [party_answer(one) for one in session.parties.values()]}


def party_answer(party: Party) -> Json:
    """Write a party as answers have it: its peer goes by `sessionId`."""
    peer = party.peer if party.code is Code.GONE else None
    told = without_none(
        id=party.party_id,
        direction=party.direction,
        conferenceRole=party.role,
        accountId=party.account_id,
        extensionId=party.extension_id,
        status=without_none(
            code=party.code.value,
            reason=party.reason,
            peerId={"partyId": peer.party_id, "sessionId": peer.session_id} if peer else None,
        ),
        recordings=_recordings(party),
    )
    if party.extension_id is not None:
        told["owner"] = {"accountId": party.account_id, "extensionId": party.extension_id}
    told |= {"from": end(party.caller), "to": end(party.called)}
    return told | {"muted": party.muted, "standAlone": party.stand_alone}


def _recordings(party: Party) -> list[Json] | None:
    return [{"id": one, "active": active} for one, active in party.recordings.items()] or None


# Notifications


def event_body(notice: Notice, peer: Session | None) -> Json:
    """Write the body of a notification: one party, and what happened to it."""
    session = notice.session
    return {
        "sequence": notice.sequence,
        "sessionId": session.legacy_id,
        "telephonySessionId": session.session_id,
        "serverId": _SERVER,
        "eventTime": instant(notice.at),
        "parties": [_event_party(notice.party, peer)],
        "origin": {"type": session.origin},
    }


def _event_party(party: Party, peer: Session | None) -> Json:
    known = party.peer if party.code is Code.GONE else None
    told = without_none(
        accountId=party.account_id,
        extensionId=party.extension_id,
        id=party.party_id,
        direction=party.direction,
        to=end(party.called),
        conferenceRole=party.role,
        recordings=_recordings(party),
    )
    status = without_none(
        code=party.code.value, reason=party.reason, peerId=_event_peer(known, peer) if known else None
    )
    told |= {"from": end(party.caller), "status": {**status, "rcc": False}}
    return told | {"park": {}, "missedCall": False, "standAlone": party.stand_alone, "muted": party.muted}


def _event_peer(known: Peer, peer: Session | None) -> Json:
    """Write a peer: here its session goes by `telephonySessionId`, and `sessionId` is the legacy id."""
    legacy_id = peer.legacy_id if peer else "0"
    return {"telephonySessionId": known.session_id, "sessionId": legacy_id, "partyId": known.party_id}


# Who somebody is, and what they are doing


def presence(account: Account, extension: Extension, sessions: list[Session], *, detailed: bool) -> Json:
    """Write the presence of an extension: with details, its legs that are up or ringing."""
    legs = [
        (session, one)
        for session in sessions
        for one in session.parties.values()
        if one.extension_id == extension.extension_id and one.code in _TELEPHONY
    ]
    states = {_TELEPHONY[one.code] for _, one in legs}
    telephony = next((state for state in ("CallConnected", "OnHold", "Ringing") if state in states), "NoCall")
    told: Json = {
        "uri": f"/restapi/v1.0/account/{account.account_id}/extension/{extension.extension_id}/presence",
        "extension": {"id": extension.extension_id, "extensionNumber": extension.number},
        "presenceStatus": "Busy" if any(one.code in UP for _, one in legs) else "Available",
        "telephonyStatus": telephony,
        "userStatus": "Available",
        "dndStatus": "TakeAllCalls",
    }
    if detailed:
        told["activeCalls"] = [_active_call(session, one) for session, one in legs]
    return told


def _active_call(session: Session, party: Party) -> Json:
    hosting = party.role == HOST
    return without_none(
        id=party.party_id,
        direction=party.direction,
        to=CONFERENCE_END if hosting else party.called.phone_number,
        toName="Conference" if hosting else party.called.name,
        fromName=party.caller.name,
        telephonyStatus=_TELEPHONY[party.code],
        sessionId=session.legacy_id,
        telephonySessionId=session.session_id,
        partyId=party.party_id,
        startTime=instant(session.created_at),
        onHold=party.code is Code.HOLD,
    ) | {"from": party.caller.phone_number}


def extension_info(account: Account, extension: Extension) -> Json:
    """Write who an extension is."""
    return {
        "uri": f"/restapi/v1.0/account/{account.account_id}/extension/{extension.extension_id}",
        "id": int(extension.extension_id),
        "extensionNumber": extension.number,
        "account": {"id": account.account_id},
        "name": extension.name,
        "type": "User",
        "status": "Enabled",
    }


def devices(extension: Extension) -> Json:
    """List the telephones of an extension."""
    return paged(
        [
            {
                "id": one.device_id,
                "type": one.kind,
                "name": one.name,
                "status": "Online",
                "extension": {"id": int(extension.extension_id), "extensionNumber": extension.number},
            }
            for one in extension.devices
        ]
    )


def paged(records: list[Json]) -> Json:
    """Put records on one page."""
    return {
        "records": records,
        "paging": {"page": 1, "perPage": 100, "totalPages": 1, "totalElements": len(records)},
        "navigation": {},
    }
