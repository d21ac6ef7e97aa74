"""Webhooks: a POST of JSON, either the alert itself or the form that chat services take (Slack, Mattermost, ...)."""

from __future__ import annotations

import json
import urllib.request
from http.client import HTTPException
from typing import Any, Literal
from urllib.parse import urlsplit

from hinomi.watch.alerts.message import Alert

SECONDS = 5.0
Form = Literal["json", "slack"]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is told to one place goes to no other."""

    def redirect_request(self, *_args: Any, **_values: Any) -> None:
        return None


class WebhookSink:
    """Posts to one URL. Redirects and proxies of the environment are not followed."""

    name = "webhook"

    def __init__(self, url: str, form: Form = "json") -> None:
        """`ValueError` for anything but http and https."""
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise ValueError(f"not an http or https URL: {url}")
        self._url = url
        self._form = form
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())

    def send(self, alert: Alert) -> None:
        """Post one alert; `OSError` where it is not taken."""
        body = slack_body(alert) if self._form == "slack" else alert.to_json()
        data = json.dumps(body, ensure_ascii=True).encode("ascii")
        headers = {"Content-Type": "application/json", "User-Agent": "hinomi"}
        request = urllib.request.Request(self._url, data, headers, method="POST")
        try:
            with self._opener.open(request, timeout=SECONDS) as answer:  # HTTPError is an OSError
                answer.read(1024)
        except HTTPException as error:
            raise OSError(f"no HTTP answer: {error!r}") from error


def slack_body(alert: Alert) -> dict[str, Any]:
    """Return the message for a chat service. Its three control characters are escaped, so a file name cannot mention
    everybody or make a link."""
    text = alert.line().replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": f"[{alert.severity.upper()}] {alert.host}: {text}"}
