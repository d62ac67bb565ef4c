"""The text shown when the stack is up: addresses, the key, and commands to paste."""

import sys

from infra.local.data import Data


def show(url: str, data: Data) -> None:
    """Print the text. The stack keeps running if its output is closed."""
    try:
        sys.stdout.write(build(url, data))
        sys.stdout.flush()
    except (BrokenPipeError, ValueError):
        return


def build(url: str, data: Data) -> str:
    key = data.key.read_text(encoding="utf-8").strip() if data.key.exists() else ""
    routes = (data.read_json("sources.json") or {}).get("routes", [])
    lines = [
        "",
        *([f"  Dashboard   {url}/"] if "/" in routes else []),
        f"  API         {url}/v1",
        f"  Outbox      {url}/outbox",
        f"  Key         {key}",
    ]
    sample = data.read_json("sample.json")
    if sample is not None:
        lines += ["", *_calls(url, key, sample)]
    return "\n".join([*lines, "", "  Ctrl-C ends it and keeps everything.", "", ""])


def _calls(url: str, key: str, sample: dict[str, object]) -> list[str]:
    contacts = ", ".join(f'"{uid}"' for uid in _list(sample["contactUids"])[:3])
    json_type = '-H "Content-Type: application/json"'
    auth = '-H "Authorization: Bearer $KEY"'
    flow = f"curl {{}}$URL/flows/{sample['flowUid']} {auth}"
    return [
        f"URL={url} KEY={key}",
        f"curl -X POST $URL/flows {auth} {json_type} -d '{{",
        f'  "channelUid": "{sample["channelUid"]}", "campaignUid": "{sample["campaignUid"]}",',
        f'  "contactUids": [{contacts}], "description": "Pasted from make run",',
        '  "configuration": {"maxRetries": 3, "pauseBetweenContactsMs": 5000, "pauseBetweenContactsSaltMs": 1000,',
        '                    "retryDelayMs": 5000, "timeoutMs": 300000, "maxConcurrentMessages": 1}}\'',
        flow.format(""),
        flow.format("-X PATCH ") + f' {json_type} -d \'{{"status": "paused"}}\'',
        flow.format("-X PATCH ") + f' {json_type} -d \'{{"status": "running"}}\'',
    ]


def _list(value: object) -> list[str]:
    return [str(entry) for entry in value] if isinstance(value, list) else []
