"""How the services find the database, know that it is the right one, and may reach it."""

import pytest

from support.charts.pods import environment, one
from support.charts.scenario import rendered


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_a_public_certificate_is_checked_by_what_the_image_trusts(mode: str) -> None:
    objects = rendered("query-alone", {"database": {"sslMode": mode}})
    (query,) = one(objects, "Deployment", "search-query")["spec"]["template"]["spec"]["containers"]
    url = environment(query)["PILOTHOUSE_DATABASE_URL"]
    assert url.endswith(f"?sslmode={mode}&sslrootcert=/etc/ssl/certs/ca-certificates.crt")
