// Command proof shows that what defends Tandem is tested: it takes each defence out and has a test notice, fuzzes every parser of
// what comes from outside, and reports what was tried. It is for whoever works on Tandem; scripts/test calls it.
//
// It changes nothing of the checkout: a defence is taken out in a copy of its file, which the compiler is given in the file's place.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("proof", flag.ContinueOnError)
	mutants := f.Bool("mutants", false, "take out each defence and have a test notice")
	fuzzing := f.Duration("fuzz-time", 0, "fuzz each target for so long")
	report := f.Bool("report", false, "do both, and attack and break everything, and print what was tried; a target is fuzzed for 5 s unless --fuzz-time says so")
	only := f.String("only", "", "with --mutants: the one of this name")
	if err := f.Parse(args); err != nil {
		return err
	}
	switch {
	case *report:
		return tell(ctx, time.Duration(max(*fuzzing, 0)), os.Stdout)
	case *mutants:
		killed, err := killAll(ctx, *only, os.Stdout)
		fmt.Printf("mutants: %d defences were taken out and noticed\n", killed)
		return err
	case *fuzzing > 0:
		_, err := fuzzAll(ctx, *fuzzing, os.Stdout)
		return err
	}
	return errors.New("nothing to do; see --help")
}
