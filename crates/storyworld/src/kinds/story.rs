//! Small stories of four to eight sentences: an opening, a plan, an event, a turn, an ending.

use crate::Language;
use crate::draw::Draw;
use crate::kinds::article;
use crate::lexicon::{CAUSES, FEELING_EVENTS, FEELINGS, JOBS, PEOPLE, TIMES, TOWNS, WEATHER};
use crate::sample::sentences;
use crate::template::Slots;
use crate::values::{ACT_CLASSES, Act, Class, Value};
use crate::world::World;

/// One plot: templates of the sentences in order, English then Chinese. `?` in front marks a
/// sentence that may be left out.
struct Plot {
    en: &'static [&'static str],
    zh: &'static [&'static str],
}

static PLOTS: [Plot; 8] = [
    // Two friends and a day out.
    Plot {
        en: &[
            "[{t}, |]{p} [and {q} met at the {place}|waited for {q} at the {place}|ran into {q} near the {place}]",
            "?[{weather}|{weather}, but they did not mind|they had not seen each other for weeks]",
            "[they wanted to {base}|their plan was to {base}|{q} had an idea: they could {base}]",
            "[so they {past}|at first they only talked, but then they {past}]",
            "?[{q} {event}, and felt {feeling}|suddenly {p} {event}. {p.he} was {feeling}]",
            "?[{cause}, so {effect}]",
            "[in the evening they went home|they said goodbye at the {place}|it was a day to remember|\"we must do this again,\" said {q}]",
        ],
        zh: &[
            "[{t}，|][{p}和{q}在{place}见面|{p}在{place}等{q}|{p}在{place}碰到了{q}]",
            "?[{weather}|{weather}，可是{they}不在乎|{they}好几个星期没见面了]",
            "[{they}想{base}|{they}的计划是{base}|{q}出了个主意：一起{base}]",
            "[于是{they}{past}|{they}先聊了一会儿，然后{past}]",
            "?[{q}{event}，觉得很{feeling}|突然，{p}{event}，{p.he}很{feeling}]",
            "?[{cause}，所以{effect}]",
            "[傍晚{they}各自回家了|{they}在{place}道别|这真是难忘的一天|“下次再来吧。”{q}说]",
        ],
    },
    // A lost thing.
    Plot {
        en: &[
            "{p} [had lost {p.his} {object}|could not find {p.his} {object} anywhere|was looking for {p.his} {object}]",
            "[{p.he} looked under the bed and behind the door|{p.he} searched every room|{p.he} asked all the neighbours]",
            "?[it was a present from {q}|without it {p.he} could not leave|it had cost a lot of money]",
            "[then {p.he} remembered the {place}|perhaps it was still at the {place}|{q} said, \"have you tried the {place}?\"]",
            "[{p.he} hurried there, and {weather}|{p} ran all the way]",
            "[there it was: the {object} lay on a bench|a kind man gave it back|{animal.a} was sitting on it]",
            "[{p} was [happy|grateful|relaxed] again|{p.he} thanked everyone|from then on {p.he} was more careful]",
        ],
        zh: &[
            "{p}[找不到{object}了|把{object}弄丢了|到处找自己的{object}]",
            "[{p.he}看了床底下和门后面|{p.he}找遍了每个房间|{p.he}问了所有的邻居]",
            "?[那是{q}送的礼物|没有它{p.he}出不了门|那东西花了不少钱]",
            "[后来{p.he}想起了{place}|也许它还在{place}|{q}说：“你去{place}找过吗？”]",
            "[{p.he}赶紧跑过去，{weather}|{p}一路跑了过去]",
            "[果然，{object}就在长椅上|一位好心人把它还给了{p.he}|{animal.a}正坐在上面]",
            "[{p}又高兴起来|{p.he}谢过了大家|从那以后{p.he}更小心了]",
        ],
    },
    // A meal.
    Plot {
        en: &[
            "[{t}, |]{p} [was hungry|invited {q} for dinner|wanted something special to eat]",
            "?[{p.he} worked as {a job} and had been up since dawn|{p.he} had eaten nothing all day]",
            "[there was {food.a} in the kitchen, and some {food2.s} too|{p.he} went out to buy {food.a}|on the table there was only {food.a}]",
            "[{q} brought {drink.a}|to drink, there was {drink}|{p.he} poured two glasses of {drink}]",
            "?[\"I have never tasted anything better,\" said {q}|\"is there more?\" asked {q}]",
            "?[{cause}, so {effect}. But nobody left the table]",
            "[when everything was eaten, they washed the dishes|afterwards {p} was tired but content|{q} promised to cook next time]",
        ],
        zh: &[
            "[{t}，|]{p}[饿了|请{q}来吃饭|想吃点特别的东西]",
            "?[{p.he}是{job}，天一亮就起来了|{p.he}一整天没吃东西]",
            "[厨房里有{food.a}，还有{food2.a}|{p.he}出去买了{food.a}|桌上只有{food.a}]",
            "[{q}带来了{drink.a}|喝的是{drink}|{p.he}给每人倒了一杯{drink}]",
            "?[“我从没吃过这么好吃的东西。”{q}说|“还有吗？”{q}问]",
            "?[{cause}，所以{effect}，不过谁也没离开桌子]",
            "[吃完以后，{they}一起洗碗|吃完饭{p}又累又满足|{q}答应下次由自己做饭]",
        ],
    },
    // An animal in trouble.
    Plot {
        en: &[
            "[on the way to the {place}|near {town}|not far from the {place}], {p} [heard a strange sound|saw something move|stopped suddenly]",
            "[it was {animal.a}|behind a tree there was {animal.a}|in the grass sat {animal.a}]",
            "[the {animal} was hurt|the poor {animal} could not walk|the {animal} looked hungry and cold]",
            "?[{weather}|\"do not be afraid,\" said {p}|nobody else had noticed it]",
            "[{p} gave it water and called {q}|{p.he} wrapped it in {p.his} jacket|{p} carried it to {q}, who was {a job}]",
            "[together they took care of it for a week|{q} knew what to do|after a few days it was strong again]",
            "[then the {animal} went back to its home|in the end they let it go|{p} still thinks of the {animal}]",
        ],
        zh: &[
            "[在去{place}的路上|在{town}附近|离{place}不远的地方]，{p}[听到了奇怪的声音|看见有东西在动|忽然停下脚步]",
            "[原来是{animal.a}|树后面有{animal.a}|草里有{animal.a}]",
            "[{animal}受伤了|可怜的{animal}走不动了|{animal}看起来又饿又冷]",
            "?[{weather}|“别害怕。”{p}说|别人都没有发现]",
            "[{p}给它喂了水，又打电话给{q}|{p.he}用外衣把它包起来|{p}带着它去找{q}，{q}是{job}]",
            "[{they}一起照顾了它一个星期|{q}知道该怎么办|几天以后它又有力气了]",
            "[后来{animal}回家了|最后{they}把它放走了|{p}到现在还记得那{am}{animal}]",
        ],
    },
    // A skill.
    Plot {
        en: &[
            "{p} had always wanted to [{hobby}|{hobby} like {q}]",
            "[but {p.he} was too shy to ask|at first it seemed impossible|everyone said it was too hard]",
            "?[{q} said, \"I can help you.\"|one day {q} offered to help]",
            "[every day they practised for an hour|week after week {p.he} tried again|they met every {day}]",
            "?[sometimes {p.he} wanted to give up|once {p.he} {event} and was {feeling}]",
            "[slowly {p.he} became better|after a month nobody laughed any more|in the end it was easy]",
            "[now {p.he} teaches others|today {p} is known for it in {town}|\"you see,\" said {q}, \"it only takes time.\"]",
        ],
        zh: &[
            "{p}一直想学会[{hobby}|像{q}那样{hobby}]",
            "[可是{p.he}不好意思开口|一开始好像不可能|大家都说太难了]",
            "?[{q}说：“我可以帮你。”|有一天，{q}愿意帮忙]",
            "[{they}每天练一个小时|一个星期又一个星期，{p.he}不断地试|{they}每个{day}都见面]",
            "?[有时候{p.he}想放弃|有一次，{p.he}{event}，很{feeling}]",
            "[慢慢地，{p.he}进步了|一个月以后，没有人再笑{p.he}|最后一切变得很容易]",
            "[现在{p.he}教别人|如今{p}在{town}很有名|“你看，”{q}说，“只要花时间就行。”]",
        ],
    },
    // A journey.
    Plot {
        en: &[
            "[last {day}|one {day}], {p} [travelled|took the train|went by bus] to {town}",
            "[{weather}|{weather} when {p.he} left home]",
            "?[the people in the bus were silent|a {adj} woman sat beside {p.him}|the road was long]",
            "[in {town} {p.he} visited the {place}|{p.he} spent the morning at the {place}|first {p.he} went to the {place}]",
            "[there {p.he} {past}|later {p.he} {past}|then {p.he} {past}]",
            "?[{p} {event}, which made {p.him} {feeling}|on the way back {p.he} {event}]",
            "[{p.he} came home late|{p} wrote to {q} about it|{p.he} wants to go there again]",
        ],
        zh: &[
            "[上个{day}|有个{day}]，{p}[去{town}旅行|坐火车去{town}|坐公交车去{town}]",
            "[{weather}|出门的时候{weather}]",
            "?[车上的人都不说话|旁边坐着一位{adj}的阿姨|路很远]",
            "[在{town}，{p.he}去了{place}|{p.he}在{place}待了一上午|{p.he}先去了{place}]",
            "[在那里{p.he}{past}|后来{p.he}{past}|接着{p.he}{past}]",
            "?[{p}{event}，心里很{feeling}|回来的路上{p.he}{event}]",
            "[{p.he}很晚才到家|{p}写信把这事告诉了{q}|{p.he}还想再去一次]",
        ],
    },
    // A quarrel.
    Plot {
        en: &[
            "{p} and {q} [quarrelled about {object.a}|did not speak to each other any more|had a quarrel {t}]",
            "[{q} wanted to {base}, but {p} did not|{p} had forgotten to {base}|{q} had broken the {object} of {p}]",
            "?[{p} {event} and was {feeling}|both of them were too proud to speak]",
            "[{weather} that day|days went by|nobody knew what to do]",
            "[then {p} brought {food.a} to {q}|at last {q} wrote a short letter|one morning {q} stood at the door]",
            "[\"I am sorry,\" said {q}|\"let us forget it,\" said {p}|they looked at each other and laughed]",
            "[since then they have been friends again|and so they {past} after all|peace is better than {object.a}]",
        ],
        zh: &[
            "[{p}和{q}为了{object.a}吵了一架|{p}和{q}不说话了|{t}，{p}和{q}吵了架]",
            "[{q}想{base}，可是{p}不想|{p}忘了{base}|{q}弄坏了{p}的{object}]",
            "?[{p}{event}，很{feeling}|两个人都不肯先开口]",
            "[那天{weather}|好几天过去了|谁也不知道怎么办]",
            "[后来{p}给{q}送来了{food.a}|最后{q}写了一封短信|一天早上，{q}站在门口]",
            "[“对不起。”{q}说|“算了吧。”{p}说|{they}看着对方笑了]",
            "[从那以后{they}又是好朋友了|最后{they}还是{past}|和好比什么都重要]",
        ],
    },
    // A surprise.
    Plot {
        en: &[
            "it was the birthday of {p}, but [nobody seemed to know|{q} said nothing about it|the house was empty]",
            "[{p} felt sad|{p.he} went to the {place} alone|{p.he} {past} to pass the time]",
            "?[{weather}|a {adj} man greeted {p.him}|{cause}, so {effect}]",
            "[when {p.he} came back, the door was open|in the evening {q} called {p.him} into the garden|then the lights went on]",
            "[everyone was there|all {p.his} friends were hiding behind the chairs|{q} and the neighbours began to sing]",
            "[{q} gave {p.him} {object.a}|there was {food.a} for everyone and {drink} to drink|a small {animal} sat in a basket]",
            "[{p} could not say a word|it was the best day of the year|{p.he} had never been so happy]",
        ],
        zh: &[
            "{p}过生日，[可是好像没人知道|可是{q}什么也没说|可是家里空空的]",
            "[{p}觉得很难过|{p.he}一个人去了{place}|为了打发时间，{p.he}{past}]",
            "?[{weather}|一位{adj}的叔叔跟{p.he}打招呼|{cause}，所以{effect}]",
            "[{p.he}回来的时候，门开着|晚上，{q}把{p.he}叫到院子里|这时灯亮了]",
            "[大家都在那里|朋友们都躲在椅子后面|{q}和邻居们唱起歌来]",
            "[{q}送给{p.he}{object.a}|桌上有{food.a}，还有{drink}|篮子里坐着{animal.a}]",
            "[{p}一句话也说不出来|这是一年里最好的一天|{p.he}从来没有这么高兴过]",
        ],
    },
];

static ADJECTIVES: [(&str, &str); 16] = [
    ("friendly", "和气"),
    ("tall", "高大"),
    ("quiet", "安静"),
    ("young", "年轻"),
    ("cheerful", "开朗"),
    ("serious", "严肃"),
    ("polite", "礼貌"),
    ("curious", "好奇"),
    ("sleepy", "犯困"),
    ("generous", "大方"),
    ("nervous", "紧张"),
    ("gentle", "温柔"),
    ("famous", "有名"),
    ("lonely", "孤单"),
    ("clever", "聪明"),
    ("busy", "忙碌"),
];

/// Animals that nobody carries or puts in a basket.
static LARGE: [&str; 18] = [
    "whale", "dolphin", "shark", "elephant", "giraffe", "lion", "tiger", "bear", "horse", "zebra",
    "cow", "camel", "seal", "wolf", "panda", "salmon", "carp", "snake",
];

/// A training document: one story.
pub(crate) fn document(world: &World, draw: &mut Draw, language: Language) -> String {
    let plot = draw.pick(&PLOTS);
    let p = draw.below(PEOPLE.len());
    let q = draw.other(PEOPLE.len(), &[p]);
    let class = *draw.pick(&ACT_CLASSES);
    let act = Act::willed(draw, class);
    let forms = act.forms(language, Value::draw(draw, class));
    let hobby = Value::draw(draw, Class::Activity);
    let food = Value::draw(draw, Class::Food);
    let animal = loop {
        let noun = Value::draw(draw, Class::Animal).noun();
        if !LARGE.contains(&noun.en) {
            break noun;
        }
    };
    let event = draw.pick(&FEELING_EVENTS);
    let cause = draw.pick(&CAUSES);
    let (adjective, adjective_zh) = *draw.pick(&ADJECTIVES);
    let mut slots = Slots::new(language);
    slots.person("p", p).person("q", q).text("base", forms.base).text("past", forms.past);
    slots.text("hobby", Act::draw(draw, Class::Activity).forms(language, hobby).base);
    slots.noun("food", food.noun()).noun("food2", food.other(draw, &[]).noun());
    slots
        .noun("drink", Value::draw(draw, Class::Drink).noun())
        .noun("object", Value::draw(draw, Class::Object).noun());
    slots
        .noun("animal", animal)
        .text("am", animal.measure)
        .noun("place", Value::draw(draw, Class::Place).noun());
    slots.text("town", draw.pick(&TOWNS).get(language)).text("t", draw.pick(&TIMES).get(language));
    slots.text("weather", draw.pick(&WEATHER).get(language));
    slots.text("day", draw.pick(&crate::lexicon::DAYS).get(language));
    slots
        .text("event", event.text.get(language))
        .text("feeling", FEELINGS[event.feeling].get(language));
    slots.text("cause", cause.cause.get(language)).text("effect", cause.effect.get(language));
    slots.text("adj", if language == Language::En { adjective } else { adjective_zh });
    slots.text("they", if PEOPLE[p].female && PEOPLE[q].female { "她们" } else { "他们" });
    // The job is the one of whoever the sentence calls so; both have theirs from the world.
    let worker = if plot.en.iter().any(|s| s.contains("{q}, who was")) { q } else { p };
    slots.noun("job", JOBS[world.profiles[worker].job].noun);
    let templates = if language == Language::En { plot.en } else { plot.zh };
    let mut clauses = Vec::new();
    if draw.percent(40) {
        clauses.push(article::introduction(world, draw, language, p));
    }
    for template in templates {
        match template.strip_prefix('?') {
            Some(_) if draw.percent(30) => {}
            Some(optional) => clauses.push(slots.fill(draw, optional)),
            None => clauses.push(slots.fill(draw, template)),
        }
    }
    sentences(language, &clauses)
}
