"""Test the estimate of a launch."""

from tests.integration.harness import Story, fields_of, story

__all__ = ["story"]
WAIT = {"id": "pause", "type": "WAIT", "for": "PT20M"}


def test_an_estimate_counts_each_skip_reason(story: Story) -> None:
    story.set_up(contacts=5)
    for uid, change in zip(
        story.contacts,
        [{"status": "BLOCKED"}, {"consent": {"console": {"MESSAGE": "REVOKED"}}}, {"firstName": None}],
        strict=False,
    ):
        story.expect(200, story.api.patch(f"/v1/contacts/{uid}", change))
    steps = [story.send("one", channelUid=story.channel), WAIT, story.send("two")]
    audience = {"contactUids": [*story.contacts, "gone", story.contacts[0]]}
    campaign = story.campaign(*steps, audience=audience, configuration={"pauseBetweenContactsMs": 1000})
    estimate = story.expect(200, story.api.post(f"/campaigns/{campaign}/estimate"))
    reasons = {"contact_blocked": 1, "consent_revoked": 1, "missing_template_parameter": 1}
    assert estimate["excluded"] == {"one": reasons, "two": reasons}
    assert (estimate["matched"], estimate["notFound"]) == (6, 1)
    assert estimate["reachable"] == {story.channel: 2}
    assert estimate["messages"] == {"total": 4, story.channel: 4}
    assert estimate["estimatedCompletionAt"] == "2026-03-02T09:00:04.000Z"
    assert (estimate["cost"]["expected"], estimate["cost"]["currency"]) == ("0.00", "EUR")
    without_audience = story.api.post(f"/campaigns/{story.short_campaign()}/estimate")
    assert (without_audience.status, fields_of(without_audience)) == (422, ["audience"])
