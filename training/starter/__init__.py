"""The starter pairs: facts and copy written for this project, to train the bundled copywriter's adapter from."""
