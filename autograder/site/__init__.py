"""The course as a site that opens from a disk: units with their figures, guides, what people get wrong, the modules."""
