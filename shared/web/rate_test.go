package web

import (
	"fmt"
	"testing"
	"time"
)

func TestAnAllowanceIsSpentAndComesBack(t *testing.T) {
	t.Parallel()
	var a allowances
	now := time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)
	for n := range allowance / heavy {
		if wait := a.spend("ada", heavy, now); wait != 0 {
			t.Fatalf("request %d has to wait for %v", n, wait)
		}
	}
	if got, want := a.spend("ada", heavy, now), heavy*time.Second/allowancePerSecond; got != want {
		t.Errorf("the wait is %v, want %v", got, want)
	}
	if wait := a.spend("bob", heavy, now); wait != 0 {
		t.Errorf("another user waits for %v", wait)
	}
	if wait := a.spend("ada", heavy, now.Add(heavy*time.Second/allowancePerSecond)); wait != 0 {
		t.Errorf("after the wait there is another one, of %v", wait)
	}
}

func TestUsersWhoAskForNothingAreForgotten(t *testing.T) {
	t.Parallel()
	var a allowances
	now := time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)
	for n := range maxAllowances {
		a.spend(fmt.Sprint(n), cheap, now)
	}
	a.spend("one more", cheap, now.Add(time.Hour))
	if len(a.byUser) != 1 {
		t.Errorf("%d users are counted", len(a.byUser))
	}
}
