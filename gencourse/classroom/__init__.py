"""Student copies, releases and grades. The modules are imported where they are needed: some want nbgrader."""
