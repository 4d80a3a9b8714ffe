"""Tables of the catalogue: products and what is shown of them, and what customers write."""

from catalog.models.customers import CustomerMessage as CustomerMessage
from catalog.models.customers import CustomerReview as CustomerReview
from catalog.models.customers import HiddenReview as HiddenReview
from catalog.models.customers import MessageChannel as MessageChannel
from catalog.models.products import CONTROL as CONTROL
from catalog.models.products import Channel as Channel
from catalog.models.products import FactEvidence as FactEvidence
from catalog.models.products import ImportRun as ImportRun
from catalog.models.products import Locale as Locale
from catalog.models.products import Product as Product
from catalog.models.products import ProductFact as ProductFact
from catalog.models.products import ProductPicture as ProductPicture
from catalog.models.products import PublishedCopy as PublishedCopy
