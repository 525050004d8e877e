"""Normalizing flows: exact densities by a change of variables."""

from gencourse.flows.flow import Flow as Flow
from gencourse.flows.glow import Glow as Glow
from gencourse.flows.real_nvp import RealNVP as RealNVP
