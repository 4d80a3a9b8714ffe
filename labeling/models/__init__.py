"""Tables of labelling: what is asked of people and who was handed it, what they said, what is held to be true."""

from labeling.models.door import DoorPass as DoorPass
from labeling.models.labels import Label as Label
from labeling.models.labels import LabelCheck as LabelCheck
from labeling.models.labels import LabelIssue as LabelIssue
from labeling.models.labels import OutOfSample as OutOfSample
from labeling.models.labels import RaterModel as RaterModel
from labeling.models.labels import TextVector as TextVector
from labeling.models.labels import Vote as Vote
from labeling.models.provenance import Drift as Drift
from labeling.models.provenance import TaskLease as TaskLease
from labeling.models.tasks import Annotation as Annotation
from labeling.models.tasks import Annotator as Annotator
from labeling.models.tasks import CompletenessProof as CompletenessProof
from labeling.models.tasks import Consensus as Consensus
from labeling.models.tasks import LabelingProject as LabelingProject
from labeling.models.tasks import LabelingTask as LabelingTask
from labeling.models.tasks import WebhookEvent as WebhookEvent
