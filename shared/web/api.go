package web

import (
	"encoding/json"
	"net/http"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
)

func (s *Site) getAccount(w http.ResponseWriter, r *http.Request, v visit) error {
	a, err := s.service.Account(r.Context(), v.user)
	if err != nil {
		return err
	}
	return answerAccount(w, r, a)
}

func (s *Site) getTags(w http.ResponseWriter, r *http.Request, v visit) error {
	tags, err := s.service.Tags(r.Context(), v.user)
	if err != nil {
		return s.notReady(r, v, record.Contacts, err)
	}
	return answer(w, http.StatusOK, list(tags))
}

func (s *Site) putContacts(w http.ResponseWriter, r *http.Request, v visit) error {
	settings, err := readContactsSettings(r.Body)
	if err != nil {
		return err
	}
	a, err := s.service.PutContacts(r.Context(), v.user, settings, ifMatch[ContactsSettings](r, tagContacts))
	if err != nil {
		return err
	}
	return answerAccount(w, r, a)
}

func (s *Site) postSync(t record.Type) serve {
	return func(w http.ResponseWriter, r *http.Request, v visit) error {
		preview, err := readPreview(r.Body)
		if err != nil {
			return err
		}
		var run string
		if preview == "" {
			run, err = s.service.SyncNow(r.Context(), v.user, t)
		} else {
			run, err = s.service.SyncPreview(r.Context(), v.user, t, preview)
		}
		if err != nil {
			return s.notReady(r, v, t, err)
		}
		return answer(w, http.StatusAccepted, map[string]string{"run": run})
	}
}

func (s *Site) getRuns(w http.ResponseWriter, r *http.Request, v visit) error {
	q, err := readRunsQuery(r.URL.Query())
	if err != nil {
		return err
	}
	runs, err := s.service.Runs(r.Context(), v.user, q.kind, q.limit, q.before)
	if err != nil {
		return err
	}
	out := make([]runJSON, len(runs))
	for i, run := range runs {
		out[i] = summary(run)
	}
	return answer(w, http.StatusOK, out)
}

func (s *Site) getRun(w http.ResponseWriter, r *http.Request, v visit) error {
	run, err := s.service.Run(r.Context(), v.user, r.PathValue("run"))
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, detail(run))
}

func (s *Site) getChanges(w http.ResponseWriter, r *http.Request, v visit) error {
	q, err := readChangesQuery(r.URL.Query())
	if err != nil {
		return err
	}
	run, err := s.service.Run(r.Context(), v.user, r.PathValue("run"))
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, changesPage(run.Changes, q))
}

func (s *Site) postPreview(t record.Type) serve {
	return func(w http.ResponseWriter, r *http.Request, v visit) error {
		if err := readNothing(r.Body); err != nil {
			return err
		}
		run, err := s.service.Preview(r.Context(), v.user, t)
		if err != nil {
			return s.notReady(r, v, t, err)
		}
		return answer(w, http.StatusOK, detail(run))
	}
}

func (s *Site) postApprove(w http.ResponseWriter, r *http.Request, v visit) error {
	return s.postDecision(w, r, v, true)
}

func (s *Site) postReject(w http.ResponseWriter, r *http.Request, v visit) error {
	return s.postDecision(w, r, v, false)
}

func (s *Site) postDecision(w http.ResponseWriter, r *http.Request, v visit, approve bool) error {
	if err := readNothing(r.Body); err != nil {
		return err
	}
	run, err := s.service.Decide(r.Context(), v.user, r.PathValue("run"), approve)
	if err != nil {
		return err
	}
	return answer(w, http.StatusAccepted, map[string]string{"run": run})
}

func (s *Site) postUndo(w http.ResponseWriter, r *http.Request, v visit) error {
	what, err := readUndo(r.Body)
	if err != nil {
		return err
	}
	what.Run = r.PathValue("run")
	run, err := s.service.Undo(r.Context(), v.user, what)
	if err != nil {
		return s.notReady(r, v, s.typeOf(r, v), err)
	}
	return answer(w, http.StatusAccepted, map[string]string{"run": run})
}

func (s *Site) getExport(w http.ResponseWriter, r *http.Request, v visit) error {
	if !v.fresh {
		return signInAgain()
	}
	all, err := s.service.Export(r.Context(), v.user)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Disposition", `attachment; filename="tandem.json"`)
	return answer(w, http.StatusOK, all)
}

func (s *Site) deleteGoogle(w http.ResponseWriter, r *http.Request, v visit) error {
	return s.deleteSide(w, r, v, record.Google)
}

func (s *Site) deleteCreatio(w http.ResponseWriter, r *http.Request, v visit) error {
	return s.deleteSide(w, r, v, record.Creatio)
}

func (s *Site) deleteSide(w http.ResponseWriter, r *http.Request, v visit, side record.Side) error {
	if err := s.ifAccounts(r, v); err != nil {
		return err
	}
	return gone(w, s.service.Unlink(r.Context(), v.user, side))
}

func (s *Site) deleteAccount(w http.ResponseWriter, r *http.Request, v visit) error {
	if !v.fresh {
		return signInAgain()
	}
	if err := s.ifAccounts(r, v); err != nil {
		return err
	}
	if err := s.service.Erase(r.Context(), v.user); err != nil {
		return err
	}
	s.forget(w, sessionCookie)
	return gone(w, nil)
}

// gone answers 204 where all went well.
func gone(w http.ResponseWriter, err error) error {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

func (s *Site) health(w http.ResponseWriter, _ *http.Request, _ visit) error {
	return answer(w, http.StatusOK, struct {
		Status  string `json:"status"`
		Version string `json:"version"`
	}{"ok", s.version})
}

// answer writes a JSON document, whole or not at all.
func answer(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fault.Errorf(fault.Bug, "", "encode", "encode answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // who does not read the answer any more need not have it
	return nil
}

// list is never null in JSON.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}
