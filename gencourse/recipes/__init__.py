"""Long trainings; `weights/` comes only from here."""

from gencourse.recipes.recipe import Recipe as Recipe
from gencourse.recipes.recipe import names as names
from gencourse.recipes.recipe import sample as sample
from gencourse.recipes.recipe import train as train
