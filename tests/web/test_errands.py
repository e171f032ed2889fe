"""Applying board files and exporting the board on the pages."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from opsboard.board import errands
from opsboard.board.models import Errand
from opsboard.people.models import AuditEntry
from opsboard.services.models import Service, Team

pytestmark = pytest.mark.django_db
# A worker tells how far it is through a second connection, which sees only what is committed.
by_a_worker = pytest.mark.django_db(transaction=True)

ONE = "teams: {pricing: {contact: '#pricing'}}\nservices:\n  fares-db: {owner: pricing}\n"
MANY = "teams: {pricing: {}}\nservices:\n" + "".join(
    f"  s{n}: {{owner: pricing}}\n" for n in range(60)
)


@pytest.fixture
def client(client_of):
    return client_of("administrator")


def upload(text, name="fares.yaml"):
    return SimpleUploadedFile(name, text.encode())


def sent(client, text="", *, chosen=(), **others):
    return client.post(reverse("files-new"), {"text": text, "chosen": list(chosen), **others})


def planned(client, text=ONE, **others):
    answer = sent(client, text, **others)
    assert answer.status_code == 302, answer.text
    return Errand.objects.order_by("pk").last()


def act(client, name, errand):
    return client.post(reverse(name, args=[errand.pk]), follow=True)


def page(client, errand):
    return client.get(reverse("errand", args=[errand.pk])).text


def test_the_plan_is_shown_first_and_nothing_is_changed(client, team):
    text = page(client, planned(client))
    assert "board.yaml would change 2\N{NO-BREAK SPACE}things" in text
    assert "Nothing was changed yet." in text
    # Old and new of what is changed, and only the name of what is added.
    assert '<del class="typed"><span class="meta">was </span>#pricing-on-call</del>' in text
    assert '<ins class="typed"><span class="meta">now </span>#pricing</ins>' in text
    assert "service fares-db" in text
    assert not Service.objects.exists()


def test_a_warning_that_nobody_would_be_told_stands_first(client):
    text = page(
        client,
        planned(
            client,
            "teams: {t: {}}\nservices: {s: {owner: t, environments: {production: {base_url: "
            "'https://a.test'}}, paths: {health: {route: GET /}}}}",
        ),
    )
    assert "Nobody would be told when Health of s fails" in text
    assert text.index("Nobody would be told") < text.index("Added: ")


def test_mistakes_are_told_with_their_place_and_the_nearest_word(client):
    answer = sent(client, "teams:\n  pricing: {nmae: Pricing}\n", name="fares.yaml")
    assert answer.status_code == 422
    assert "1 thing to mend first" in answer.text
    assert "fares.yaml, line 2, column 13" in answer.text
    assert "did you mean `name`?" in answer.text
    assert "pricing: {<mark>nmae:</mark> Pricing}" in answer.text
    # What was pasted is still there to be mended.
    assert "{nmae: Pricing}\n</textarea>" in answer.text
    assert not Errand.objects.exists()


def test_a_chosen_file_with_a_mistake_stands_in_the_form_to_be_mended(client):
    answer = sent(client, chosen=[upload("teams:\n  pricing: {nmae: P}\n")])
    assert "{nmae: P}\n</textarea>" in answer.text
    assert 'name="name" value="fares.yaml"' in answer.text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Choose a file, or paste one below."),
        ({"text": ONE, "name": "a/b.yaml"}, "Write a name without folders"),
        ({"text": ONE, "name": "x.yaml", "chosen": ["x.yaml"]}, "A chosen file is called x.yaml"),
        ({"text": ": : :"}, "to mend first"),
        ({"text": "teams: &a {}"}, "to mend first"),
    ],
)
def test_what_cannot_be_read_is_told_and_kept(given, said, client):
    chosen = [upload(ONE, name) for name in given.pop("chosen", [])]
    answer = sent(client, chosen=chosen, **given)
    assert answer.status_code == 422
    assert said in answer.text


def test_what_is_no_text_is_told(client):
    answer = sent(client, chosen=[SimpleUploadedFile("fares.yaml", b"\xff\xfe\x00")])
    assert answer.status_code == 422
    assert "save the file as UTF-8" in answer.text


def test_files_that_are_too_large_are_refused_in_a_sentence(client, monkeypatch):
    monkeypatch.setattr("opsboard.web.forms.board_files.LARGEST", 40)
    answer = sent(client, chosen=[upload(ONE)])
    assert answer.status_code == 422
    assert "manage.py apply" in answer.text


def test_a_small_plan_is_applied_at_once_with_links_to_what_changed(client):
    text = act(client, "errand-apply", planned(client)).text
    assert "board.yaml is applied" in text
    assert "2 added." in text
    assert "nothing of it was done" not in text
    assert f'href="{reverse("service", args=["fares-db"])}"' in text
    assert Service.objects.get(slug="fares-db").team.slug == "pricing"


def test_who_asked_for_it_and_what_it_changed_stand_in_the_audit_log(client, administrator):
    errand = planned(client)
    act(client, "errand-apply", errand)
    entries = AuditEntry.objects.filter(who=administrator.username)
    assert [(e.act, e.kind) for e in entries.order_by("pk")] == [
        ("asked for", "board files"),
        ("added", "team"),
        ("added", "service"),
    ]


@by_a_worker
def test_a_large_plan_waits_for_a_worker_and_can_be_found_again(client):
    errand = planned(client, MANY)
    text = act(client, "errand-apply", errand).text
    assert "board.yaml waits to be applied" in text
    assert 'hx-trigger="every 2s, opsboard:seen"' in text
    assert f'<a href="{reverse("errand", args=[errand.pk])}">Reload</a>' in text
    for name in ("files", "mine"):
        found = client.get(reverse(name)).text
        assert "board.yaml waits to be applied" in found
        assert reverse("errand", args=[errand.pk]) in found
    errands.do_due(is_stopping=lambda: False)
    text = page(client, errand)
    assert "61 added." in text
    assert "hx-trigger" not in text.split("<main")[1]
    assert reverse("errand", args=[errand.pk]) not in client.get(reverse("mine")).text


def test_a_poll_answers_304_while_nothing_has_changed(client):
    errand = planned(client, MANY)
    act(client, "errand-apply", errand)
    url = reverse("errand", args=[errand.pk])
    first = client.get(url, headers={"HX-Request": "true"})
    assert "<html" not in first.text
    tag = {"HX-Request": "true", "HX-PTag": first["HX-PTag"]}
    assert client.get(url, headers=tag).status_code == 304
    Errand.objects.update(claim_id=1, phase="paths", done=500, total=5_000, phase_since=0)
    told = client.get(url, headers=tag)
    assert told.status_code == 200
    assert "500 of 5,000 paths, about" in told.text


def test_one_that_waits_can_be_stopped(client):
    errand = planned(client, MANY)
    act(client, "errand-apply", errand)
    text = act(client, "errand-stop", errand).text
    assert "The apply of board.yaml was stopped" in text
    assert "nothing of it was done" in text
    assert "Nothing of it was changed." in text
    assert not Team.objects.filter(slug="pricing").exists()


def test_one_that_is_done_cannot_be_stopped(client):
    errand = planned(client)
    act(client, "errand-apply", errand)
    assert "It had come to its end before" in act(client, "errand-stop", errand).text
    assert "asked for already" in act(client, "errand-apply", errand).text


def test_a_plan_that_is_out_of_date_is_planned_again_with_the_same_files(client):
    errand = planned(client)
    Team.objects.create(slug="pricing", name="Other")
    text = act(client, "errand-apply", errand).text
    assert "board.yaml was not applied" in text
    assert "The board was changed after this plan was shown." in text
    text = act(client, "errand-plan", errand).text
    assert "would change 2\N{NO-BREAK SPACE}things" in text
    act(client, "errand-apply", Errand.objects.order_by("pk").last())
    assert Service.objects.filter(slug="fares-db").exists()


def test_what_a_prune_removes_stands_first_and_in_the_button(client, service):
    errand = planned(client, "teams: {pricing: {}}", prune="on")
    text = page(client, errand)
    assert "Apply, and remove 1 thing<" in text
    assert text.index("Removed: 1") < text.index("Changed: 1")
    act(client, "errand-apply", errand)
    service.refresh_from_db()
    assert service.removed_at is not None


def test_files_that_say_what_the_board_is_have_nothing_to_apply(client):
    act(client, "errand-apply", planned(client))
    text = page(client, planned(client))
    assert "board.yaml would change nothing" in text
    assert "errand-apply" not in text
    assert ">Apply<" not in text


def test_an_editor_exports_and_does_not_apply(client_of, client):
    editor = client_of("editor")
    assert ">Apply board files<" not in editor.get(reverse("files")).text
    assert ">Apply<" not in page(editor, planned(client))
    assert editor.post(reverse("files-new"), {"text": ONE}).status_code == 403
    assert ">Export the board<" in editor.get(reverse("files")).text


def test_a_viewer_sees_no_plan(client_of, client):
    errand = planned(client)
    viewer = client_of("viewer")
    assert viewer.get(reverse("errand", args=[errand.pk])).status_code == 403
    assert reverse("errand", args=[errand.pk]) not in viewer.get(reverse("files")).text


def test_somebody_elses_export_is_not_an_editors_to_stop(client_of, client):
    client.post(reverse("board-export"))
    errand = Errand.objects.get()
    assert (
        "only they or an administrator may" in act(client_of("editor"), "errand-stop", errand).text
    )
    assert Errand.objects.get().is_under_way


def test_a_small_board_is_downloaded_at_once(client, service):
    answer = client.get(reverse("board-yaml"))
    assert answer["Content-Disposition"] == 'attachment; filename="board.yaml"'
    assert "fares-api:" in answer.text


@by_a_worker
def test_a_large_board_is_exported_by_a_worker_and_kept_for_a_day(client, path, monkeypatch):
    monkeypatch.setattr("opsboard.web.board_files.MOST_PATHS_AT_ONCE", 0)
    assert client.get(reverse("board-yaml")).url == reverse("files")
    assert reverse("board-export") in client.get(reverse("files")).text
    client.post(reverse("board-export"))
    errand = Errand.objects.get()
    assert "The export waits to be made" in page(client, errand)
    assert client.get(reverse("errand-file", args=[errand.pk])).status_code == 302
    errands.do_due(is_stopping=lambda: False)
    errand.refresh_from_db()
    text = page(client, errand)
    assert "The board is exported" in text
    assert errand.sha256 in text
    assert "price-a-crossing:" in client.get(reverse("errand-file", args=[errand.pk])).text
    Errand.objects.update(content=None)
    assert "The file was let go after a day" in page(client, errand)
    assert client.get(reverse("errand-file", args=[errand.pk])).status_code == 302


@by_a_worker
def test_an_export_tells_what_it_holds_in_the_open(client, environment):
    environment.variables.create(name="API_TOKEN", value="sk_live_4eC39HqLyjWDarjtT1zdp7dc")
    client.post(reverse("board-export"))
    errands.do_due(is_stopping=lambda: False)
    assert "fares-api/production: API_TOKEN" in page(client, Errand.objects.get())


def test_names_are_shown_literally(client):
    errand = planned(client, ONE, name="<b>x</b>.yaml".replace("/", "-"))
    assert "&lt;b&gt;x&lt;-b&gt;.yaml would change" in page(client, errand)


def test_what_a_file_is_called_is_never_markup(client, team):
    name = "<img src=x onerror=alert(1)>.yaml"
    sent(client, chosen=[upload(ONE, name)])
    errand = Errand.objects.order_by("pk").last()
    for text in (page(client, errand), act(client, "errand-apply", errand).text):
        assert "<img" not in text
        assert "&lt;img src=x onerror=alert(1)&gt;.yaml" in text
