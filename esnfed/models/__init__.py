"""Tables, one file per table; no behaviour. Importing this package fills `metadata` completely."""

# PostgreSQL's INSERT compiles on SQLite too, ON CONFLICT and RETURNING included: one statement for both.
from sqlalchemy.dialects.postgresql import insert

from esnfed.models.activity import activity
from esnfed.models.actor import actor
from esnfed.models.actor_key import actor_key
from esnfed.models.block import block
from esnfed.models.consent import consent
from esnfed.models.counter import counter
from esnfed.models.delivery import delivery
from esnfed.models.errand import errand
from esnfed.models.favourite import favourite
from esnfed.models.first_contact import first_contact
from esnfed.models.follow import follow
from esnfed.models.inbox_message import inbox_message
from esnfed.models.job import job
from esnfed.models.media_attachment import media_attachment
from esnfed.models.mention import mention
from esnfed.models.node import node
from esnfed.models.notification import notification
from esnfed.models.peer import peer
from esnfed.models.pin import pin
from esnfed.models.poll import poll
from esnfed.models.poll_vote import poll_vote
from esnfed.models.record import record, record_facet
from esnfed.models.replay import replay
from esnfed.models.report import report
from esnfed.models.status import status
from esnfed.models.tag import status_tag, tag
from esnfed.models.timeline_entry import timeline_entry
from esnfed.models.tombstone import tombstone
from esnfed.models.types import metadata
from esnfed.models.user import user

__all__ = [
    "activity",
    "actor",
    "actor_key",
    "block",
    "consent",
    "counter",
    "delivery",
    "errand",
    "favourite",
    "first_contact",
    "follow",
    "inbox_message",
    "insert",
    "job",
    "media_attachment",
    "mention",
    "metadata",
    "node",
    "notification",
    "peer",
    "pin",
    "poll",
    "poll_vote",
    "record",
    "record_facet",
    "replay",
    "report",
    "status",
    "status_tag",
    "tag",
    "timeline_entry",
    "tombstone",
    "user",
]
