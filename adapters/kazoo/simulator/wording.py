"""The state of a run and its events, in the words of each generation."""

from collections.abc import Callable

from .faults import Faults
from .generation import ListForm, Traits
from .shapes import Json, gregorian
from .switch import Notice, Participant, Run

_SWITCH = {
    "switch_hostname": "media1.kazoo.example",
    "switch_url": "sip:mod_sofia@10.26.0.5:11000",
    "switch_external_ip": "203.0.113.5",
}


class Wording:
    """Turns runs and notices into JSON of one generation."""

    def __init__(self, traits: Traits, faults: Faults, account_id: str, clock: Callable[[], float]) -> None:
        self._traits = traits
        self._faults = faults
        self._account_id = account_id
        self._clock = clock

    def realtime(self, run: Run | None) -> Json:
        """Show the run as GET of one conference does: `_read_only`, or `metadata` of the envelope in Kazoo 5."""
        if run is None or self._faults.empty_state:
            return {**self._idle(), "participants": []}
        people = self.participants(run)
        block: Json = {**self._counts(run), "duration": self._seconds(run), "is_locked": run.locked}
        if self._traits.extra_run_keys:
            block |= {
                "conference_id": run.room_id,
                "uuid": run.instance_id,
                "locked": run.locked,
                "participant_count": len(people),
                "run_time": self._seconds(run),
                "start_time": run.started_at,
                **_SWITCH,
            }
        if self._traits.kazoo5:
            block |= {"zone": "local", "custom_conference_vars": {}, "interaction_id": run.instance_id}
        return {**block, "participants": people}

    def list_block(self, run: Run | None) -> Json:
        """Show the realtime keys of a list item, wherever this generation puts them."""
        form = self._traits.listed
        block = self._list_keys(run)
        return block if form in (ListForm.ROOT, ListForm.SEED_ROOT) else {"_read_only": block}

    def participants(self, run: Run | None) -> list[object]:
        """Show everybody in a run."""
        if run is None or self._faults.empty_state:
            return []
        return [self.participant(run, one) for one in run.participants.values()]

    def participant(self, run: Run, one: Participant) -> Json:
        """Show one participant; one the controller forgot is little more than a call id."""
        if self._faults.missing_flags or not one.known:
            return {"call_id": one.call_id, "join_time": one.joined_at, "duration": self._since(one.joined_at)}
        shown: Json = {
            "call_id": one.call_id,
            "participant_id": one.participant_id,
            "join_time": one.joined_at,
            "duration": self._since(one.joined_at),
            "conference_name": run.room_id,
            "conference_uuid": run.instance_id,
            "switch_hostname": _SWITCH["switch_hostname"],
        }
        if self._traits.flat:
            return shown | self._flags(one)
        shown |= {
            "caller_id_name": one.name,
            "caller_id_number": one.number,
            "conference_channel_vars": self._channel_vars(one),
            "custom_channel_vars": self._custom_vars(one),
        }
        return shown | {"custom_application_vars": {}} if self._traits.application_vars else shown

    def event(self, notice: Notice, msg_id: str) -> Json:
        """Write the `data` of one event."""
        event, run, one = notice
        name = "participant_event" if self._traits.flat else "event"
        data: Json = {
            "event": event,
            "event_category": "conference",
            "event_name": name,
            "account_id": self._account_id,
            "conference_id": run.room_id,
            "instance_id": run.instance_id,
            "app_name": "ecallmgr",
            "app_version": self._traits.version,
            "msg_id": msg_id,
        }
        if self._traits.flat:
            data |= {"focus": "freeswitch@media1.kazoo.example", "node": "ecallmgr@apps1.kazoo.example"}
            data["routing_key"] = name
        if one is None:
            return data
        data |= {
            "call_id": one.call_id,
            "participant_id": one.participant_id,
            "caller_id_name": one.name,
            "caller_id_number": one.number,
            "channel_presence_id": f"{one.number}@{_REALM}",
            "custom_channel_vars": self._custom_vars(one),
        }
        if self._traits.flat:
            return data | self._flags(one)
        data["conference_channel_vars"] = self._channel_vars(one)
        return data

    def _list_keys(self, run: Run | None) -> Json:
        if run is None or self._faults.empty_state or not run.listed:
            return self._idle()
        if self._traits.listed is ListForm.SEED_ROOT:
            return {**self._counts(run), "duration": self._seconds(run), "is_locked": run.locked}
        if self._traits.listed is ListForm.READ_ONLY_FULL:
            block = self.realtime(run)
            del block["is_locked"]
            return block
        return {
            "uuid": run.instance_id,
            "run_time": self._seconds(run),
            "start_time": run.started_at,
            "is_locked": run.locked,
            **_SWITCH,
            "participant_count": len(run.participants),
            **self._counts(run),
        }

    def _idle(self) -> Json:
        return {"members": 0, self._moderators: 0, "duration": 0, "is_locked": False}

    def _counts(self, run: Run) -> Json:
        moderators = sum(one.moderator for one in run.participants.values())
        return {"members": len(run.participants) - moderators, self._moderators: moderators}

    @property
    def _moderators(self) -> str:
        return "admins" if self._traits.flat else "moderators"

    def _seconds(self, run: Run) -> int:
        return self._since(run.started_at)

    def _since(self, gregorian_s: int) -> int:
        return max(0, gregorian(self._clock()) - gregorian_s)

    def _flags(self, one: Participant) -> Json:
        flags: Json = {
            "is_moderator": one.moderator,
            "speak": not one.muted,
            "hear": not one.deafened,
            "talking": one.talking,
            "floor": one.floor,
            "video": False,
            "mute_detect": False,
            "energy_level": 20,
        }
        if self._traits.current_energy:
            flags["current_energy"] = 0
        return flags

    def _channel_vars(self, one: Participant) -> Json:
        flags = self._flags(one)
        flags |= {"see": True, "member_id": one.participant_id, "member_ghost": one.ghost}
        if self._traits.member_type:
            flags["member_type"] = "moderator" if one.moderator else "member"
        return flags

    def _custom_vars(self, one: Participant) -> Json:
        found: Json = {"account_id": self._account_id, "realm": _REALM, "username": one.number}
        if one.owner_id is not None:
            found |= {"owner_id": one.owner_id, "authorizing_id": one.owner_id, "authorizing_type": "device"}
        return found


_REALM = "demo.sip.example"
