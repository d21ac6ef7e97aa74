"""The console: reports, runs and findings of a case as pages, each also as JSON. Read-only, this machine only.

Every page is made by the same templates as the HTML output, so nothing from evidence is ever markup.
"""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from hinomi.flow.viewing import Overview, findings_of, overview
from hinomi.locale.catalogue import text
from hinomi.model.text import Language
from hinomi.store.case import Case, Place

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def make_app(place: Place, language: Language) -> Starlette:
    """Return the ASGI application over one case."""

    def home(request: Request) -> Response:
        with Case.open(place) as case:
            view = overview(case)
        if _wants_json(request):
            return JSONResponse(view.to_json(), headers=HEADERS)
        return HTMLResponse(_page("overview.html.j2", language, view), headers=HEADERS)

    def run(request: Request) -> Response:
        with Case.open(place) as case:
            document = findings_of(case, request.path_params["run"])
        if document is None:
            raise HTTPException(404)
        from hinomi.brief.document import render

        kind = "json" if _wants_json(request) else "html"
        media = "application/json" if kind == "json" else "text/html"
        return Response(render(document, kind, language), media_type=media, headers=HEADERS)

    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "testserver"])
    return Starlette(routes=[Route("/", home), Route("/runs/{run}", run)], middleware=[hosts])


def serve(place: Place, language: Language, port: int) -> None:
    """Serve on 127.0.0.1 until interrupted."""
    import uvicorn

    uvicorn.run(make_app(place, language), host="127.0.0.1", port=port, log_level="warning", server_header=False)


def _wants_json(request: Request) -> bool:
    return request.query_params.get("format") == "json"


def _page(template: str, language: Language, view: Overview) -> str:
    from hinomi.brief.renderers.templates import fill

    values: dict[str, Any] = {"view": view, "document": view, "title": text("console.title", language)}
    return fill(template, language, **values)
