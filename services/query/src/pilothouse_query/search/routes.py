"""POST /v1/search."""

from fastapi import APIRouter

from pilothouse_core.failover import RepeatingRoute, repeatable
from pilothouse_core.problem import PROBLEM_RESPONSES
from pilothouse_query.dependencies import Caller, Search
from pilothouse_query.search.schemas import SearchRequest, SearchResponse

router = APIRouter(prefix="/v1", route_class=RepeatingRoute, tags=["search"], responses=PROBLEM_RESPONSES)


@router.post("/search")
@repeatable
async def search(request: SearchRequest, caller: Caller, service: Search) -> SearchResponse:
    """Passages for a question, best first, from the collections that the caller may read."""
    return SearchResponse.of(await service.search(request.to_query(), principal=caller))
