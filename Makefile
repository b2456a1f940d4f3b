# The work is in .setup (what a machine needs) and in the program; ARGS reach either, as in `make test ARGS="-k cluster"`.
.PHONY: run test check bench
run test check bench:
	@python3 .setup $@ $(ARGS)
