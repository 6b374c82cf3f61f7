package record

import "testing"

func TestFold_makes_spellings_of_one_name_equal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                    "",
		"Anna":                "anna",
		"ANNA  Meyer":         "anna meyer",
		" Meyer,  Anna ":      "meyer anna",
		"Müller":              "muller",
		"Mu\u0308ller":        "muller",
		"Straße":              "strasse",
		"STRASSE":             "strasse",
		"Łukasz Żółw":         "lukasz zolw",
		"O'Neil":              "oneil",
		"O’Neil":              "oneil",
		"Jean-Luc":            "jean luc",
		"J. R. R. Tolkien":    "j r r tolkien",
		"Ünal İpek":           "unal ipek",
		"Ёлкин":               "елкин",
		"Γιώργος":             "γιωργοσ",
		"ΓΙΩΡΓΟΣ":             "γιωργοσ",
		"Alder & Finch, Ltd.": "alder finch ltd",
		"مُحَمَّد":            "محمد",
		"王　伟":                 "王 伟",
		"ｗａｎｇ":                "wang",
		"Ⅷ":                   "viii",
		"Acme™":               "acmetm",
		"🚤":                   "",
		"🚤 Boat":              "boat",
		"Smith\u00a0Jones":    "smith jones",
		"हिन्दी":              "हिन्दी",
		"हिन्दु":              "हिन्दु",
		"ヤマサキ":                "ヤマサキ",
		"ヤマザキ":                "ヤマサ\u3099キ",
		"ﾔﾏｻﾞｷ":               "ヤマサ\u3099キ",
		"YILDIZ":              "yildiz",
		"Yıldız":              "yildiz",
		"Søren Bø":            "soren bo",
		"Đorđe Æbelø":         "dorde aebelo",
		"O‘Brien":             "obrien",
		"В\u02bcячеслав":      "вячеслав",
		"В`ячеслав":           "вячеслав",
		"В'ячеслав":           "вячеслав",
		"An\u00adna\u200f":    "anna",
		"علی\u200cرضا":        "علي رضا",
		"Андрей":              "андрей",
		"Їжак":                "їжак",
	} {
		if got := Fold(text); got != want {
			t.Errorf("Fold(%q) = %q, want %q", text, got, want)
		}
	}
}
