"""Rewrite the links of an HTML message and add an open pixel, if its channel tracks them."""

import re
from collections.abc import Mapping
from html import escape, unescape

from chalicelib.model.channel import Channel
from chalicelib.model.ids import MessageUid
from chalicelib.model.signing import Links

#: The HTML field of a content. Links in plain text are not tracked: they would become several times as long.
HTML = "html"
_LINK = re.compile(r"""(<a\b[^>]*?\shref\s*=\s*)(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_END = re.compile(r"</body\s*>", re.IGNORECASE)
#: Longest tracked URL, in characters. With the signature a longer one would exceed the limit of proxies.
MAX_URL = 2_000


def track(content: Mapping[str, str], links: Links, uid: MessageUid, channel: Channel) -> Mapping[str, str]:
    """Return the content with tracked links. Unchanged if the channel does not track or no public URL is set."""
    html = content.get(HTML)
    if html is None or not links.base or not (channel.track_opens or channel.track_clicks):
        return content
    if channel.track_clicks:
        html = _LINK.sub(lambda found: _rewritten(found, links, uid), html)
    if channel.track_opens:
        pixel = f'<img src="{escape(links.open(uid))}" width="1" height="1" alt="">'
        end = _END.search(html)
        html = f"{html[: end.start()]}{pixel}{html[end.start() :]}" if end else html + pixel
    return {**content, HTML: html}


def _rewritten(found: re.Match[str], links: Links, uid: MessageUid) -> str:
    url = unescape(found[2] if found[2] is not None else found[3]).strip()
    is_web = url.lower().startswith(("http://", "https://"))
    if not is_web or len(url) > MAX_URL or url.startswith((f"{links.base}/u/", f"{links.base}/c/")):
        return found[0]
    return f'{found[1]}"{escape(links.click(uid, url))}"'
