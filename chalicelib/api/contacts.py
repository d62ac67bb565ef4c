"""Routes of contacts, also called identities."""

from chalice.app import Blueprint
from pydantic import ValidationInfo, field_validator

from chalicelib.api._http import Answer, Call, ListQuery, Nothing, endpoint, many, one
from chalicelib.model.base import Uid
from chalicelib.model.contact import ContactFields
from chalicelib.model.workspace import Scope
from chalicelib.usecases.check_contact import check_value
from chalicelib.usecases.erase_contact import erase_contact
from chalicelib.usecases.save_contact import Given, Saved, get_contact, patch_contact, put_contact, upsert_contact

blueprint = Blueprint(__name__)


class ContactBody(ContactFields):
    """Checks here what needs no workspace, so that its problems come together with those of form."""

    @field_validator("email", "phone", "timezone")
    @classmethod
    def _check(cls, value: str | None, info: ValidationInfo) -> str | None:
        return check_value(str(info.field_name), value) if value is not None else None


class NewContact(ContactBody):
    """A contact to create or to find; a client may bring its own uid."""

    uid: Uid | None = None


@endpoint(blueprint, "POST /v1/contacts", scope=Scope.WRITE, body=NewContact)
def post_contact(call: Call[NewContact, Nothing]) -> Answer:
    """Creates it, or changes the one that has the uid, externalId, email or phone."""
    given = {name: value for name, value in _said(call.body).items() if name != "uid"}
    return _saved(upsert_contact(call.ports, call.workspace, given, call.body.uid))


@endpoint(blueprint, "GET /v1/contacts", query=ListQuery)
def list_contacts(call: Call[Nothing, ListQuery]) -> Answer:
    """A page of contacts, in no particular order."""
    return many(call, call.ports.contacts.page(call.workspace, call.query.limit, call.cursor))


def get_one(call: Call[Nothing, Nothing]) -> Answer:
    """One contact."""
    return one(get_contact(call.ports, call.workspace, call.uid), "Contact")


def put_one(call: Call[ContactBody, Nothing]) -> Answer:
    """Creates or replaces it under this uid."""
    return _saved(put_contact(call.ports, call.workspace, call.uid, _said(call.body)))


def delete_one(call: Call[Nothing, Nothing]) -> Answer:
    """Erases it."""
    erase_contact(call.ports, call.workspace, call.uid)
    return one(None, "Contact erased")


@endpoint(blueprint, "PATCH /v1/contacts/{uid}", scope=Scope.WRITE, body=ContactBody)
def patch_one(call: Call[ContactBody, Nothing]) -> Answer:
    """Changes what the body names."""
    return one(patch_contact(call.ports, call.workspace, call.uid, _said(call.body)), "Contact changed")


for _path in ("/v1/contacts/{uid}", "/v1/identity/{uid}"):
    endpoint(blueprint, f"GET {_path}")(get_one)
    endpoint(blueprint, f"PUT {_path}", scope=Scope.WRITE, body=ContactBody)(put_one)
    endpoint(blueprint, f"DELETE {_path}", scope=Scope.WRITE)(delete_one)


def _said(body: ContactFields) -> Given:
    return {name: getattr(body, name) for name in body.model_fields_set}


def _saved(saved: Saved) -> Answer:
    return one(saved.contact, "Contact created" if saved.is_new else "Contact saved", 201 if saved.is_new else 200)
