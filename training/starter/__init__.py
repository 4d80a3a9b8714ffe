"""The starter pairs: facts and copy written for this project, from which the bundled copywriter's adapter is trained."""
