package sample

// culture is a group of people who live in the same places and write their names alike.
type culture struct {
	// home is where the people live and whose telephone numbers they have.
	home region
	// names holds one person per line: given names and surname, the latter last; a "~" keeps words of one part
	// together. What follows "=" is the name in Latin letters without accents, where that differs.
	names string
}

var cultures = []culture{
	{unitedStates, `
Robert Ashford
Katherine Anne Delaney
William Prescott
Elizabeth Whitlock
James O'Rourke = James ORourke
Jennifer Castellano
Michael Joseph Brannigan
Margaret Holloway
Thomas Van~Buskirk = Thomas VanBuskirk
Deborah Lynn Sutter
Christopher Rusk
Samantha Wexler
Benjamin Okafor
Patricia Two~Rivers = Patricia TwoRivers
Nathaniel Greer
Victoria St.~Clair = Victoria StClair
Zachary Pell
Harriet Lamarr
Theodore Vance
Caroline Jessup
Owen Mayfield
Gloria Estes
Marcus Tillman
Alexandra Quill`},
	{unitedKingdom, `
Andrew Featherstone
Charlotte Penhaligon
Edward Ramsbottom
Rebecca Smythe-Jones
David Llewellyn
Philippa Ainsworth
Anthony Braithwaite
Siân Pryce = Sian Pryce
Nicholas Dunmore
Fiona MacAlister
Gerald Thistlewood
Imogen Carrow
Hugh Montfort
Beatrice Oakes
Timothy Lockhart
Priya Raman
Daniel Adeyemi
Winifred Snape
Oliver Hartnell
Gwendolen Frost
Rupert Ellery
Harpreet Bains
Niamh O'Dowd = Niamh ODowd
Josephine Marchbanks`},
	{germany, `
Jürgen Großkopf = Juergen Grosskopf
Käthe Müller-Lüdenscheid = Kaethe Mueller-Luedenscheid
Björn Schröder = Bjoern Schroeder
Anneliese Vogt
Friedrich von~Hohenau = Friedrich vonHohenau
Sabine Krüger = Sabine Krueger
Matthias Weiß = Matthias Weiss
Ursula Bäcker = Ursula Baecker
Torsten Lindner
Heike Süßmilch = Heike Suessmilch
Wolfgang Pfeiffer
Jana Köhler = Jana Koehler
Günther Böhm = Guenther Boehm
Liesel Straußberg = Liesel Straussberg
Dieter Kranz
Frauke Hansen
Rüdiger Eichhorn = Ruediger Eichhorn
Birgit Tannhäuser = Birgit Tannhaeuser
Klaus Dörfler = Klaus Doerfler`},
	{france, `
Hélène Dubois = Helene Dubois
François Lefèvre = Francois Lefevre
Zoé Château = Zoe Chateau
Jean-Baptiste Garçon = Jean-Baptiste Garcon
Anaïs Noël = Anais Noel
Étienne d'Aubigné = Etienne dAubigne
Chloé Bérenger = Chloe Berenger
Gaëlle Le~Goff = Gaelle LeGoff
Raphaël Moncœur = Raphael Moncoeur
Maëlys Périgord = Maelys Perigord
Benoît Crépin = Benoit Crepin
Léa Fontaine = Lea Fontaine
Aurélie Sénéchal = Aurelie Senechal
Marcel Vignon
Élodie Rousselle = Elodie Rousselle
Théophile Marchand = Theophile Marchand`},
	{spain, `
María del~Carmen Núñez~Ibáñez = Maria Carmen Nunez
José Ángel Peña = Jose Angel Pena
Begoña Etxeberria = Begona Etxeberria
Íñigo Zubizarreta = Inigo Zubizarreta
Lucía Ordóñez = Lucia Ordonez
Andrés Muñoz = Andres Munoz
Paloma Vidal
Tomás Arrieta = Tomas Arrieta
Xoán Peñalba = Xoan Penalba
Núria Puigdellívol = Nuria Puigdellivol
João Conceição = Joao Conceicao
Inês Magalhães = Ines Magalhaes
Sebastián Güell = Sebastian Guell
Rocío Márquez = Rocio Marquez`},
	{sweden, `
Åsa Björkman = Asa Bjorkman
Göran Öberg = Goran Oberg
Søren Kjærholm = Soren Kjaerholm
Märta Sjöström = Marta Sjostrom
Håkan Ängström = Hakan Angstrom
Pär Nyqvist = Par Nyqvist
Svea Lindgren
Niels Østergård = Niels Ostergard
Þórdís Hallgrímsdóttir = Thordis Hallgrimsdottir
Aino Mäkelä = Aino Makela
Ingrid Wallin
Bjørn Håland = Bjorn Haland
Linnéa Åkerblom = Linnea Akerblom`},
	{poland, `
Łukasz Wiśniewski = Lukasz Wisniewski
Małgorzata Źdźbło = Malgorzata Zdzblo
Świętosława Żółkiewska = Swietoslawa Zolkiewska
Grzegorz Brzęczyszczykiewicz = Grzegorz Brzeczyszczykiewicz
Jiří Dvořáček = Jiri Dvoracek
Růžena Šťastná = Ruzena Stastna
László Kőszegi = Laszlo Koszegi
Çağla Işık = Cagla Isik
Ömer Yıldırım = Omer Yildirim
Nguyễn Thị~Hương = Nguyen ThiHuong
Đặng Văn~Tùng = Dang VanTung
Ștefan Țăranu = Stefan Taranu
Agnieszka Kwiatkowska`},
	{ukraine, `
Олена Коваленко = Olena Kovalenko
Тарас Шевчишин = Taras Shevchyshyn
Юлія Петрівна Бондар = Yuliia Petrivna Bondar
Світлана Гнатюк = Svitlana Hnatiuk
Максим Лисенко = Maksym Lysenko
Ґеорґій Їжакевич = Georgii Yizhakevych
Оксана Мельник = Oksana Melnyk
Богдан Ткаченко = Bohdan Tkachenko
Наталія Сидоренко = Nataliia Sydorenko
Андрій Кравчук = Andrii Kravchuk
Дмитрий Николаевич Орлов = Dmitrii Nikolaevich Orlov
Екатерина Соколова = Ekaterina Sokolova
Фёдор Щербаков = Fedor Shcherbakov
Десислава Иванова = Desislava Ivanova
Живко Петков = Zhivko Petkov
Љубица Ђорђевић = Ljubica Djordjevic
Милан Јовановић = Milan Jovanovic`},
	{greece, `
Γιώργος Παπαδόπουλος = Giorgos Papadopoulos
Ελένη Καραγιάννη = Eleni Karagianni
Κωνσταντίνος Μαυρομιχάλης = Konstantinos Mavromichalis
Σοφία Αλεξίου = Sofia Alexiou
Δημήτρης Ξενάκης = Dimitris Xenakis
Αικατερίνη Ψαρού = Aikaterini Psarou
Θεόδωρος Χατζής = Theodoros Chatzis
Μαρία Ιωάννου = Maria Ioannou
Χρήστος Δημητρίου = Christos Dimitriou
Ζωή Λαμπράκη = Zoi Lampraki
Νικόλαος Βλάχος = Nikolaos Vlachos
Φωτεινή Ζαχαρίου = Foteini Zachariou
Άγγελος Οικονόμου = Angelos Oikonomou`},
	{emirates, `
أحمد الفارسي = Ahmad Alfarsi
فاطمة الزهراوي = Fatima Alzahrawi
محمد بن~راشد = Mohammed BinRashid
ليلى الحدّاد = Layla Alhaddad
يوسف القاسمي = Yousef Alqasimi
نور الهاشمي = Nour Alhashimi
خالد المنصوري = Khaled Almansouri
سارة النجار = Sara Alnajjar
عمر الشريف = Omar Alsharif
ريم الكندي = Reem Alkindi
طارق السالم = Tariq Alsalem
مريم العطّار = Maryam Alattar
حسن البغدادي = Hassan Albaghdadi
زينب الصبّاغ = Zainab Alsabbagh`},
	{china, `
伟 王 = Wei Wang
芳 李 = Fang Li
秀英 张 = Xiuying Zhang
敏 刘 = Min Liu
静怡 陈 = Jingyi Chen
志强 杨 = Zhiqiang Yang
丽华 赵 = Lihua Zhao
国栋 欧阳 = Guodong Ouyang
晓明 周 = Xiaoming Zhou
子涵 吴 = Zihan Wu
浩然 孙 = Haoran Sun
雨欣 马 = Yuxin Ma
美玲 徐 = Meiling Xu
建国 司马 = Jianguo Sima
さくら 佐藤 = Sakura Sato
健太 渡辺 = Kenta Watanabe`},
	{australia, `
Lachlan Wetherby
Matilda Crabtree
Cooper Nguyen
Keira Dandridge
Bruce Killarney
Sheila Thornbury
Angus Wooldridge
Ruby Tran`},
}

// nicknames are what friends call people.
var nicknames = map[string]string{
	"Robert": "Bob", "Katherine": "Kate", "William": "Bill", "Elizabeth": "Liz", "James": "Jim", "Jennifer": "Jen", "Michael": "Mike",
	"Margaret": "Peggy", "Thomas": "Tom", "Deborah": "Debbie", "Christopher": "Chris", "Samantha": "Sam", "Benjamin": "Ben",
	"Patricia": "Pat", "Nathaniel": "Nate", "Victoria": "Vicky", "Zachary": "Zach", "Alexandra": "Alex", "Andrew": "Andy",
	"Charlotte": "Lottie", "Edward": "Ted", "Rebecca": "Becky", "David": "Dave", "Philippa": "Pippa", "Anthony": "Tony",
	"Nicholas": "Nick", "Timothy": "Tim", "Daniel": "Dan", "Josephine": "Jo", "Jürgen": "Jogi", "Friedrich": "Fritz", "Matthias": "Matze",
	"Ursula": "Uschi", "Wolfgang": "Wolle", "Birgit": "Biggi", "Raphaël": "Raf", "Sebastián": "Sebas", "Lucía": "Luci", "Łukasz": "Łukaszek",
	"Małgorzata": "Gosia", "Agnieszka": "Agi", "Олена": "Леся", "Наталія": "Наталка", "Екатерина": "Катя", "Κωνσταντίνος": "Κώστας",
	"Νικόλαος": "Νίκος", "Angus": "Gus", "Matilda": "Tilly", "Lachlan": "Lachie",
}
