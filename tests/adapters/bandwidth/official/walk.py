"""An app with Bandwidth's own Python client for the API v1: holds a conference, and tells what it saw in JSON."""

import json
import sys
from typing import Any

from bandwidth.voice import Client
from bandwidth.voice.api_exception_module import BandwidthVoiceAPIException

URL, USER_ID, TOKEN, SECRET, NUMBER, CALLBACK_URL = sys.argv[1:]


def tell(kind: str, what: Any) -> None:
    sys.stdout.write(json.dumps({kind: what}) + "\n")
    sys.stdout.flush()


api = Client(USER_ID, TOKEN, SECRET, api_endpoint=URL)


def seen() -> dict[str, Any]:
    return {name: value for name, value in api.get_conference(conference).items() if name in ("state", "mute", "hold")}


def members() -> list[list[Any]]:
    return [[one["id"], one["state"], one["mute"], one["hold"]] for one in api.list_conference_members(conference)]


conference = api.create_conference(NUMBER, callback_url=CALLBACK_URL, tag="walk")
tell("conference", conference)
tell("read", api.get_conference(conference))

calls = [api.create_call(NUMBER, number, conference_id=conference) for number in ("+12025550101", "+12025550102")]
first, second = [api.create_conference_member(conference, call_id=call) for call in calls]
tell("members", members())
tell("call", api.get_call(api.get_conference_member(conference, first)["call"].split("/")[-1]))
tell("calls", [one["id"] for one in api.list_calls(conference_id=conference)])

api.mute_conference(conference, True)
tell("seen", seen())
api.update_conference(conference, mute=False, hold=True, tag="walked")
tell("seen", seen())
api.hold_conference(conference, False)
tell("seen", seen())

api.mute_conference_member(conference, first, True)
api.hold_conference_member(conference, second, True)
tell("members", members())

# Its shorthands for a whole conference send an object where the address of a file belongs; those for a member are fine.
api.play_audio_to_conference(conference, sentence="Hello everybody")
api.play_audio_to_conference(conference, file_url="https://media.example/ding.mp3")
api.speak_sentence_to_conference_member(conference, first, "Hello you")
api.play_audio_file_to_conference_member(conference, first, "https://media.example/ding.mp3")

api.remove_conference_member(conference, second)
tell("members", members())
api.terminate_conference(conference)
tell("seen", seen())
try:
    api.mute_conference(conference, True)
except BandwidthVoiceAPIException as refused:
    tell("refused", [refused.status_code, refused.code])
