//! Every sentence of the notice in every language.
//!
//! The reader may have been robbed a minute ago, or may own the name: short sentences, no blame, no jargon, what to do
//! before why. We wrote these translations ourselves; whoever grew up with a language mends them. Names, numbers and
//! addresses never stand within a sentence, so that none has to bend. A language lacks no sentence: the compiler sees to
//! that.

use super::language::Language;

/// The sentences of one language. Headings and labels end without a full stop.
#[derive(Debug)]
pub(super) struct Words {
    /// Heading of the overt page.
    pub(super) taken: &'static str,
    pub(super) deceived: &'static str,
    /// Heading of the sealed page. It must be as true of any site that is not there.
    pub(super) unavailable: &'static str,
    pub(super) nothing_here: &'static str,
    pub(super) password_heading: &'static str,
    pub(super) password: &'static str,
    pub(super) holder_heading: &'static str,
    pub(super) held_by: &'static str,
    /// A court, an office, or whoever else allowed it.
    pub(super) authority: &'static str,
    pub(super) docket_number: &'static str,
    pub(super) case: &'static str,
    pub(super) question_heading: &'static str,
    /// An address follows.
    pub(super) question: &'static str,
    /// Where a sealed page has no address to give.
    pub(super) registrar: &'static str,
    pub(super) recorded_heading: &'static str,
    pub(super) recorded: &'static str,
    pub(super) purpose: &'static str,
    /// All that a reader of another language is told, behind the heading.
    pub(super) in_short: &'static str,
    /// Stands behind the word EXERCISE, also while sealed.
    pub(super) exercise: &'static str,
}

impl Language {
    pub(super) fn words(self) -> &'static Words {
        match self {
            Self::En => &ENGLISH,
            Self::Ar => &ARABIC,
            Self::De => &GERMAN,
            Self::Es => &SPANISH,
            Self::Fa => &PERSIAN,
            Self::Fr => &FRENCH,
            Self::He => &HEBREW,
        }
    }
}

//----------- English ----------------------------------------------------------------------------------------------

static ENGLISH: Words = Words {
    taken: "This site has been taken out of use",
    deceived: "The name above was used to deceive people. It no longer leads to those who set it up.",
    unavailable: "This site is not available",
    nothing_here: "No service is offered at this address. Please do not trust messages that ask you to sign in here.",
    password_heading: "If you typed a password here",
    password: "Change it now at the real service. Type that service’s address yourself; do not follow a link. Change \
               it everywhere else you used it too, and turn on two-step verification. If it is a work account, tell \
               your IT department. If you entered card or bank details, call your bank.",
    holder_heading: "Who is in charge of this name",
    held_by: "Held by",
    authority: "Authority",
    docket_number: "Docket number",
    case: "Case",
    question_heading: "If you have a question or think this is a mistake",
    question: "Write to this address and say which site it is about:",
    registrar: "Please ask the company through which the name was registered.",
    recorded_heading: "What was recorded of your visit",
    recorded: "You, or a program on your device, asked for this name. The time, your IP address, the address that was \
               asked for and what your program said of itself and of the page you came from were recorded. What was \
               typed into a form was not kept.",
    purpose: "The record helps to find out who was put at risk.",
    in_short: "If you typed a password here, change it at the real service.",
    exercise: "This is a rehearsal on one machine. Nothing on this page is real.",
};

//----------- Arabic -----------------------------------------------------------------------------------------------

static ARABIC: Words = Words {
    taken: "تم إيقاف هذا الموقع",
    deceived: "استُخدم الاسم المذكور أعلاه لخداع الناس، ولم يعد يؤدي إلى من أنشأه.",
    unavailable: "هذا الموقع غير متاح",
    nothing_here: "لا تُقدَّم أي خدمة على هذا العنوان. يُرجى عدم الوثوق بالرسائل التي تطلب منك تسجيل الدخول هنا.",
    password_heading: "إذا أدخلت كلمة مرور هنا",
    password: "غيّرها الآن في الخدمة الحقيقية. اكتب عنوان تلك الخدمة بنفسك ولا تتبع أي رابط. غيّرها أيضًا في كل مكان \
               آخر استخدمتها فيه، وفعّل التحقق بخطوتين. إذا كان الحساب حساب عمل، فأبلغ قسم تقنية المعلومات لديك. وإذا \
               أدخلت بيانات بطاقة أو حساب مصرفي، فاتصل بمصرفك.",
    holder_heading: "من المسؤول عن هذا الاسم الآن",
    held_by: "في عهدة",
    authority: "بتفويض من",
    docket_number: "رقم القضية",
    case: "القضية",
    question_heading: "إذا كان لديك سؤال أو رأيت أن في الأمر خطأ",
    question: "اكتب إلى العنوان التالي واذكر الموقع الذي تسأل عنه:",
    registrar: "يُرجى التوجه إلى الشركة التي سُجّل الاسم عن طريقها.",
    recorded_heading: "ما سُجّل عن زيارتك",
    recorded: "طُلب هذا الاسم منك أو من برنامج على جهازك. سُجّل الوقت وعنوان IP الخاص بك والعنوان المطلوب وما ذكره \
               البرنامج عن نفسه وعن الصفحة التي أتيت منها. أما ما كُتب في النماذج فلم يُحفظ.",
    purpose: "يساعد هذا السجل على معرفة من تعرّض للخطر.",
    in_short: "إذا أدخلت كلمة مرور هنا، فغيّرها في الخدمة الحقيقية.",
    exercise: "هذا تدريب على جهاز واحد، ولا شيء في هذه الصفحة حقيقي.",
};

//----------- German -----------------------------------------------------------------------------------------------

static GERMAN: Words = Words {
    taken: "Diese Website wurde außer Betrieb genommen",
    deceived: "Der oben genannte Name wurde benutzt, um Menschen zu täuschen. Er führt nicht mehr zu denen, die ihn \
               eingerichtet haben.",
    unavailable: "Diese Website ist nicht verfügbar",
    nothing_here: "Unter dieser Adresse wird kein Dienst angeboten. Bitte vertrauen Sie keinen Nachrichten, die Sie \
                   auffordern, sich hier anzumelden.",
    password_heading: "Wenn Sie hier ein Passwort eingegeben haben",
    password: "Ändern Sie es jetzt beim echten Dienst. Geben Sie dessen Adresse selbst ein und folgen Sie keinem Link. \
               Ändern Sie es auch überall sonst, wo Sie es verwendet haben, und schalten Sie die Anmeldung in zwei \
               Schritten ein. Wenn es ein Arbeitskonto ist, sagen Sie Ihrer IT-Abteilung Bescheid. Wenn Sie Karten- \
               oder Bankdaten eingegeben haben, rufen Sie Ihre Bank an.",
    holder_heading: "Wer diesen Namen jetzt verwaltet",
    held_by: "Verwaltet von",
    authority: "Zuständige Stelle",
    docket_number: "Aktenzeichen",
    case: "Fall",
    question_heading: "Wenn Sie eine Frage haben oder dies für einen Irrtum halten",
    question: "Schreiben Sie an diese Adresse und nennen Sie die Website, um die es geht:",
    registrar: "Wenden Sie sich bitte an die Firma, über die der Name registriert wurde.",
    recorded_heading: "Was von Ihrem Besuch aufgezeichnet wurde",
    recorded: "Sie oder ein Programm auf Ihrem Gerät haben diesen Namen aufgerufen. Aufgezeichnet wurden die Uhrzeit, \
               Ihre IP-Adresse, die aufgerufene Adresse und das, was Ihr Programm über sich und die zuvor besuchte \
               Seite angegeben hat. Was in ein Formular eingegeben wurde, wurde nicht gespeichert.",
    purpose: "Die Aufzeichnung hilft herauszufinden, wer gefährdet wurde.",
    in_short: "Wenn Sie hier ein Passwort eingegeben haben, ändern Sie es beim echten Dienst.",
    exercise: "Dies ist eine Übung auf einem einzelnen Rechner. Nichts auf dieser Seite ist echt.",
};

//----------- Spanish ----------------------------------------------------------------------------------------------

static SPANISH: Words = Words {
    taken: "Este sitio ha sido retirado",
    deceived: "El nombre de arriba se utilizó para engañar a personas. Ya no lleva a quienes lo crearon.",
    unavailable: "Este sitio no está disponible",
    nothing_here: "En esta dirección no se ofrece ningún servicio. No confíe en mensajes que le pidan iniciar sesión \
                   aquí.",
    password_heading: "Si escribió una contraseña aquí",
    password: "Cámbiela ahora en el servicio auténtico. Escriba la dirección de ese servicio directamente en el \
               navegador, sin seguir ningún enlace. Cámbiela también en los demás lugares donde la haya usado y active \
               la verificación en dos pasos. Si es una cuenta de trabajo, avise al departamento de informática. Si \
               introdujo datos de una tarjeta o de una cuenta bancaria, llame a su banco.",
    holder_heading: "Quién está ahora a cargo de este nombre",
    held_by: "A cargo de",
    authority: "Autoridad",
    docket_number: "Número de expediente",
    case: "Caso",
    question_heading: "Si tiene alguna pregunta o cree que se trata de un error",
    question: "Escriba a esta dirección e indique de qué sitio se trata:",
    registrar: "Consulte a la empresa a través de la cual se registró el nombre.",
    recorded_heading: "Qué se registró de su visita",
    recorded: "Usted, o un programa de su dispositivo, solicitó este nombre. Se registraron la hora, su dirección IP, \
               la dirección solicitada y lo que su programa indicó sobre sí mismo y sobre la página de la que venía. \
               Lo que se escribió en formularios no se guardó.",
    purpose: "Este registro ayuda a saber quién ha estado en riesgo.",
    in_short: "Si escribió una contraseña aquí, cámbiela en el servicio auténtico.",
    exercise: "Esto es un ejercicio en una sola máquina. Nada de lo que dice esta página es real.",
};

//----------- Persian ----------------------------------------------------------------------------------------------

static PERSIAN: Words = Words {
    taken: "فعالیت این سایت متوقف شده است",
    deceived: "از نام بالا برای فریب مردم استفاده شده بود. این نام دیگر به کسانی که آن را راه انداخته بودند نمی‌رسد.",
    unavailable: "این سایت در دسترس نیست",
    nothing_here: "در این نشانی هیچ خدمتی ارائه نمی‌شود. لطفاً به پیام‌هایی که از شما می‌خواهند اینجا وارد حساب خود \
                   شوید اعتماد نکنید.",
    password_heading: "اگر اینجا گذرواژه‌ای وارد کرده‌اید",
    password: "همین حالا آن را در سرویس اصلی تغییر دهید. نشانی آن سرویس را خودتان تایپ کنید و روی هیچ پیوندی نزنید. \
               اگر همین گذرواژه را جای دیگری هم به کار برده‌اید، آنجا نیز تغییرش دهید و ورود دومرحله‌ای را فعال کنید. \
               اگر حساب کاری است، به واحد فناوری اطلاعات خود خبر دهید. اگر اطلاعات کارت یا حساب بانکی وارد کرده‌اید، \
               با بانک خود تماس بگیرید.",
    holder_heading: "این نام اکنون در اختیار کیست",
    held_by: "در اختیار",
    authority: "مرجع صادرکنندهٔ مجوز",
    docket_number: "شمارهٔ پرونده",
    case: "پرونده",
    question_heading: "اگر پرسشی دارید یا فکر می‌کنید اشتباهی رخ داده است",
    question: "به این نشانی بنویسید و بگویید پرسشتان دربارهٔ کدام سایت است:",
    registrar: "لطفاً از شرکتی بپرسید که نام از طریق آن ثبت شده است.",
    recorded_heading: "چه چیزی از بازدید شما ثبت شد",
    recorded: "شما یا برنامه‌ای روی دستگاهتان این نام را درخواست کرده‌اید. زمان، نشانی IP شما، نشانی درخواست‌شده و \
               آنچه برنامه دربارهٔ خود و صفحهٔ قبلی گفته است ثبت شد. آنچه در فرم‌ها نوشته شده نگهداری نشد.",
    purpose: "این ثبت کمک می‌کند تا روشن شود چه کسانی در معرض خطر بوده‌اند.",
    in_short: "اگر اینجا گذرواژه‌ای وارد کرده‌اید، آن را در سرویس اصلی تغییر دهید.",
    exercise: "این یک تمرین روی یک دستگاه است و هیچ چیز در این صفحه واقعی نیست.",
};

//----------- French -----------------------------------------------------------------------------------------------

static FRENCH: Words = Words {
    taken: "Ce site a été mis hors service",
    deceived: "Le nom ci-dessus a servi à tromper des personnes. Il ne mène plus à ceux qui l’avaient mis en place.",
    unavailable: "Ce site n’est pas disponible",
    nothing_here: "Aucun service n’est proposé à cette adresse. Ne vous fiez pas aux messages qui vous demandent de \
                   vous connecter ici.",
    password_heading: "Si vous avez saisi un mot de passe ici",
    password: "Changez-le dès maintenant auprès du vrai service. Tapez vous-même l’adresse de ce service, sans suivre \
               de lien. Changez-le aussi partout où vous l’avez utilisé et activez la validation en deux étapes. S’il \
               s’agit d’un compte professionnel, prévenez votre service informatique. Si vous avez saisi des données \
               de carte ou de compte bancaire, appelez votre banque.",
    holder_heading: "Qui est responsable de ce nom",
    held_by: "Détenu par",
    authority: "Autorité",
    docket_number: "Numéro de dossier",
    case: "Affaire",
    question_heading: "Si vous avez une question ou pensez qu’il s’agit d’une erreur",
    question: "Écrivez à cette adresse en indiquant le site concerné\u{a0}:",
    registrar: "Adressez-vous à la société auprès de laquelle le nom a été enregistré.",
    recorded_heading: "Ce qui a été enregistré de votre visite",
    recorded: "Vous, ou un programme de votre appareil, avez demandé ce nom. L’heure, votre adresse IP, l’adresse \
               demandée et ce que votre programme a dit de lui-même et de la page d’où vous veniez ont été \
               enregistrés. Ce qui a été saisi dans un formulaire n’a pas été conservé.",
    purpose: "Cet enregistrement aide à déterminer qui a été exposé à un risque.",
    in_short: "Si vous avez saisi un mot de passe ici, changez-le auprès du vrai service.",
    exercise: "Ceci est un exercice sur une seule machine. Rien sur cette page n’est réel.",
};

//----------- Hebrew -----------------------------------------------------------------------------------------------

static HEBREW: Words = Words {
    taken: "האתר הזה הוצא משימוש",
    deceived: "השם המופיע למעלה שימש להונאת אנשים. הוא כבר אינו מוביל אל מי שהקים אותו.",
    unavailable: "האתר הזה אינו זמין",
    nothing_here: "בכתובת הזאת לא ניתן שום שירות. נא לא לתת אמון בהודעות שמבקשות להתחבר כאן.",
    password_heading: "אם הוקלדה כאן סיסמה",
    password: "יש להחליף אותה עכשיו בשירות האמיתי. את כתובת השירות יש להקליד ידנית, בלי ללחוץ על קישור. יש להחליף \
               אותה גם בכל מקום אחר שבו היא שימשה, ולהפעיל אימות דו־שלבי. אם מדובר בחשבון של מקום העבודה, יש לעדכן \
               את מחלקת המחשוב. אם הוזנו פרטי כרטיס או חשבון בנק, יש להתקשר לבנק.",
    holder_heading: "מי אחראי לשם הזה עכשיו",
    held_by: "מוחזק בידי",
    authority: "הגורם המסמיך",
    docket_number: "מספר תיק",
    case: "שם התיק",
    question_heading: "אם יש שאלה, או אם נראה שמדובר בטעות",
    question: "אפשר לכתוב לכתובת הבאה ולציין באיזה אתר מדובר:",
    registrar: "אפשר לפנות לחברה שדרכה נרשם השם.",
    recorded_heading: "מה נרשם מהביקור",
    recorded: "הפנייה לשם הזה נעשתה על ידך או על ידי תוכנה במכשיר שלך. נרשמו השעה, כתובת ה־IP שלך, הכתובת שהתבקשה \
               ומה שהתוכנה מסרה על עצמה ועל הדף שממנו הגעת. מה שהוקלד בטפסים לא נשמר.",
    purpose: "הרישום עוזר לברר מי היה בסיכון.",
    in_short: "אם הוקלדה כאן סיסמה, יש להחליף אותה בשירות האמיתי.",
    exercise: "זהו תרגיל במחשב אחד. שום דבר בדף הזה אינו אמיתי.",
};
