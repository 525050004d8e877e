"""Diffusion models: schedules of noise, samplers that undo it, and the models that learn what to undo."""

from gencourse.diffusion.ancestral_sampler import AncestralSampler as AncestralSampler
from gencourse.diffusion.conditional_diffusion_model import ConditionalDiffusionModel as ConditionalDiffusionModel
from gencourse.diffusion.ddim_sampler import DDIMSampler as DDIMSampler
from gencourse.diffusion.diffusion_model import DiffusionModel as DiffusionModel
from gencourse.diffusion.heun_sampler import HeunSampler as HeunSampler
from gencourse.diffusion.schedules import CosineSchedule as CosineSchedule
from gencourse.diffusion.schedules import KarrasSigmas as KarrasSigmas
from gencourse.diffusion.schedules import LinearSchedule as LinearSchedule
