//! News events: a one-line summary and the sentences that tell it at length.
//! `{p}` person, `{p.he}` pronoun, `{t}` town, `{job}` the person's job.

use super::{Pair, p};

/// One kind of event. The summary is never a sentence of the body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewsEvent {
    pub(crate) summary: Pair,
    pub(crate) opening: Pair,
    pub(crate) details: [Pair; 3],
}

const fn e(summary: Pair, opening: Pair, details: [Pair; 3]) -> NewsEvent {
    NewsEvent { summary, opening, details }
}

pub(crate) static NEWS: [NewsEvent; 24] = [
    e(
        p("{p} wins the cooking contest in {t}", "{p}在{t}赢得烹饪大赛"),
        p(
            "{p} took first place [at|in] the cooking contest that was held in {t} {day}",
            "{day}，{p}在{t}举行的烹饪大赛上拿到了第一名",
        ),
        [
            p("the judges praised a dish of fish and herbs", "评委们夸奖了一道香草鱼"),
            p("twelve cooks took part", "一共有十二位厨师参加"),
            p("{p.he} will give the prize money to a school", "{p.he}打算把奖金捐给学校"),
        ],
    ),
    e(
        p("{p} wins the running race in {t}", "{p}在{t}赢得长跑比赛"),
        p(
            "{p} came first in the long race through the streets of {t} {day}",
            "{day}，{p}在{t}街头的长跑中第一个冲过终点",
        ),
        [
            p("hundreds of people cheered along the road", "路边有好几百人加油"),
            p("it was {p.his} third victory this year", "这是{p.he}今年第三次夺冠"),
            p("the last kilometre was very steep", "最后一公里的坡很陡"),
        ],
    ),
    e(
        p("{p} finds a lost child in {t}", "{p}在{t}找到走失儿童"),
        p(
            "a little boy who had been missing for hours was found by {p} in {t} {day}",
            "{day}，一个走失了几个小时的小男孩在{t}被{p}找到",
        ),
        [
            p("the child was sitting under a bridge", "孩子正坐在桥洞下面"),
            p("his parents thanked {p.him} with tears", "孩子的父母流着泪感谢{p.him}"),
            p("the police had searched all day", "警察已经找了一整天"),
        ],
    ),
    e(
        p("{p} opens a new bookshop in {t}", "{p}在{t}开新书店"),
        p(
            "readers in {t} have a new place to go: {p} opened a bookshop there {day}",
            "{t}的读者有了新去处，{day}{p}的书店在那里开张了",
        ),
        [
            p("there are more than a thousand books", "店里有一千多本书"),
            p("children can sit and read for free", "孩子们可以坐着免费看书"),
            p("the first visitors got a bookmark", "第一批客人得到了书签"),
        ],
    ),
    e(
        p("{p} opens a restaurant in {t}", "{p}在{t}开饭馆"),
        p(
            "a small restaurant owned by {p} opened its doors in {t} {day}",
            "{day}，{p}的小饭馆在{t}开门迎客",
        ),
        [
            p("the menu has only five dishes", "菜单上只有五道菜"),
            p("all the tables were full by noon", "中午所有的桌子都坐满了"),
            p("guests liked the fresh bread most", "客人最喜欢新烤的饼"),
        ],
    ),
    e(
        p("{p} saves a dog from the river in {t}", "{p}在{t}河中救狗"),
        p(
            "when a dog fell into the water in {t} {day}, {p} jumped in after it",
            "{day}，一只狗在{t}掉进河里，{p}马上跳下去救它",
        ),
        [
            p("the water was cold and fast", "河水又冷又急"),
            p("the dog is now safe and dry", "狗现在平安无事"),
            p("neighbours called {p.him} a hero", "邻居们都说{p.he}是英雄"),
        ],
    ),
    e(
        p("{p} puts out a fire in {t}", "{p}在{t}扑灭大火"),
        p(
            "a fire broke out in an old house in {t} {day}, but {p} stopped it in time",
            "{day}，{t}一座老房子起火，幸好{p}及时把火扑灭",
        ),
        [
            p("nobody was hurt", "没有人受伤"),
            p("the smoke could be seen from far away", "很远就能看见浓烟"),
            p("a heater had been left on", "原来是取暖器忘了关"),
        ],
    ),
    e(
        p("{p} becomes mayor of {t}", "{p}当选{t}镇长"),
        p(
            "the people of {t} voted {day}, and most of them chose {p} as mayor",
            "{day}，{t}的居民投票选镇长，多数人选了{p}",
        ),
        [
            p("{p.he} promised to repair the roads", "{p.he}答应要修好道路"),
            p("the vote lasted until the evening", "投票一直进行到傍晚"),
            p("the old mayor wished {p.him} luck", "老镇长祝{p.he}好运"),
        ],
    ),
    e(
        p("{p} gives a concert in {t}", "{p}在{t}举办音乐会"),
        p(
            "{p} played for two hours in front of a large crowd in {t} {day}",
            "{day}，{p}在{t}为许多观众演奏了两个小时",
        ),
        [
            p("the tickets were sold out in a day", "门票一天就卖完了"),
            p("the audience asked for three more songs", "观众又要求加演三首"),
            p("the money goes to sick children", "收入会送给生病的孩子"),
        ],
    ),
    e(
        p("{p} plants a hundred trees in {t}", "{p}在{t}种下百棵树"),
        p(
            "a hundred young trees now stand in {t}, because {p} spent a week putting them in the ground",
            "{t}多了一百棵小树，都是{p}用一周时间栽下的",
        ),
        [
            p("students helped with the water", "学生们帮忙浇水"),
            p("the hills had been bare for years", "那片山坡光秃了好多年"),
            p("{p.he} wants birds to come back", "{p.he}希望鸟儿能回来"),
        ],
    ),
    e(
        p("{p} repairs the old clock in {t}", "{p}在{t}修好古钟"),
        p(
            "the big clock of {t} had been silent for ten years, until {p} made it run again {day}",
            "{t}的大钟停了十年，{day}{p}终于让它重新走了起来",
        ),
        [
            p("one small wheel had been broken", "原来是一个小齿轮坏了"),
            p("people stopped to hear it ring", "人们停下脚步听钟声"),
            p("{p.he} did not ask for any money", "{p.he}一分钱也没有要"),
        ],
    ),
    e(
        p("{p} discovers an ancient coin in {t}", "{p}在{t}发现古代钱币"),
        p(
            "while digging in {t} {day}, {p} came upon a coin that is very old",
            "{day}，{p}在{t}挖土时碰到了一枚很古老的钱币",
        ),
        [
            p("an expert says it is made of gold", "专家说它是金的"),
            p("it will be shown to the public", "它将向公众展出"),
            p("the coin shows the head of a king", "上面刻着国王的头像"),
        ],
    ),
    e(
        p("{p} teaches free art classes in {t}", "{p}在{t}免费教画画"),
        p(
            "every week {p} shows the children of {t} how to draw, and nobody has to pay",
            "{p}每周教{t}的孩子们画画，一分钱都不收",
        ),
        [
            p("the lessons take place on the square", "上课的地方就在广场上"),
            p("more than thirty pupils come", "来学的孩子有三十多个"),
            p("their best pictures will be sold", "最好的画将会义卖"),
        ],
    ),
    e(
        p("{p} breaks the swimming record in {t}", "{p}在{t}打破游泳纪录"),
        p(
            "nobody had ever swum so fast: {p} set a new record in {t} {day}",
            "{day}，{p}在{t}游出了前所未有的好成绩，创下新纪录",
        ),
        [
            p("the old record was nine years old", "旧纪录保持了九年"),
            p("{p.he} trained every morning before dawn", "{p.he}每天天不亮就训练"),
            p("the crowd jumped to its feet", "观众全都站了起来"),
        ],
    ),
    e(
        p("{p} donates books to a school in {t}", "{p}向{t}的学校捐书"),
        p(
            "a school in {t} received boxes full of books from {p} {day}",
            "{day}，{t}的一所学校收到了{p}送来的一箱箱图书",
        ),
        [
            p("the pupils began to read at once", "学生们马上读了起来"),
            p("there are stories, maps and poems", "有故事、地图和诗歌"),
            p("the headmaster gave a short speech", "校长讲了几句话"),
        ],
    ),
    e(
        p("{p} is hurt in a bus accident in {t}", "{p}在{t}车祸中受伤"),
        p(
            "a bus ran into a wall in {t} {day}, and {p} broke a leg",
            "{day}，一辆公交车在{t}撞上了墙，{p}摔断了腿",
        ),
        [
            p("the road was covered with ice", "当时路面结了冰"),
            p("the other passengers were unharmed", "其他乘客没有受伤"),
            p("doctors say {p.he} will recover soon", "医生说{p.he}很快会好起来"),
        ],
    ),
    e(
        p("{p} catches a thief in {t}", "{p}在{t}抓住小偷"),
        p(
            "a man who had stolen a bag in {t} did not get far {day}, because {p} held him until the police came",
            "{day}，一个小偷在{t}偷了包，没跑多远就被{p}抓住，交给了警察",
        ),
        [
            p("the bag belonged to an old woman", "包是一位老奶奶的"),
            p("nothing was missing from it", "里面的东西一样也没少"),
            p("the police thanked {p.him} for {p.his} courage", "警察感谢{p.he}的勇气"),
        ],
    ),
    e(
        p("{p} builds a bridge in {t}", "{p}在{t}建桥"),
        p(
            "people in {t} can now cross the stream on foot, thanks to the bridge that {p} made",
            "{t}的居民现在可以走着过小溪了，因为{p}造了一座桥",
        ),
        [
            p("it is made entirely of wood", "桥全是木头做的"),
            p("the work took four months", "整个工程用了四个月"),
            p("the first to cross was a goat", "第一个过桥的是一只山羊"),
        ],
    ),
    e(
        p("{p} wins the chess tournament in {t}", "{p}在{t}赢得象棋赛"),
        p(
            "after nine games without a loss, {p} won the chess tournament in {t} {day}",
            "{day}，{p}在{t}的象棋赛上九局不败，拿下了冠军",
        ),
        [
            p("the final lasted five hours", "决赛下了五个小时"),
            p("{p.his} opponent smiled and shook hands", "对手微笑着和{p.he}握手"),
            p("{p.he} learned the game from a neighbour", "{p.he}的棋是跟邻居学的"),
        ],
    ),
    e(
        p("{p} shows new paintings in {t}", "{p}在{t}办画展"),
        p(
            "visitors crowded into a hall in {t} {day} to look at the latest paintings by {p}",
            "{day}，许多人来到{t}的大厅，观看{p}的新画",
        ),
        [
            p("most of them show the sea at night", "大多数画的是夜里的大海"),
            p("one was sold within an hour", "有一幅一小时内就卖出了"),
            p("the show is open for a month", "展览为期一个月"),
        ],
    ),
    e(
        p("{p} grows a giant pumpkin in {t}", "{p}在{t}种出巨型南瓜"),
        p(
            "it took four people to lift the pumpkin that {p} brought to the fair in {t} {day}",
            "{day}，{p}带到{t}集市的南瓜要四个人才抬得动",
        ),
        [
            p("it is as heavy as a pony", "它和一匹小马一样重"),
            p("{p.he} fed it with milk and water", "{p.he}用牛奶和水浇它"),
            p("everyone wanted a photograph with it", "大家都想和它合影"),
        ],
    ),
    e(
        p("{p} starts a night school in {t}", "{p}在{t}办夜校"),
        p(
            "grown-ups in {t} can learn to read in the evening, at a school that {p} started {day}",
            "{t}的大人们晚上也能学认字了，{p}从{day}起办起了学校",
        ),
        [
            p("the oldest pupil is eighty", "年纪最大的学生八十岁"),
            p("the lessons cost nothing", "上课不收钱"),
            p("they meet twice a week", "每周上两次课"),
        ],
    ),
    e(
        p("{p} leads a strike in {t}", "{p}在{t}带头罢工"),
        p(
            "workers in {t} put down their tools {day}, and {p} spoke for all of them",
            "{day}，{t}的工人放下了工具，由{p}代表大家讲话",
        ),
        [
            p("they ask for shorter days", "他们要求缩短工时"),
            p("the factory was empty by nine", "九点钟工厂就空了"),
            p("talks will begin next week", "谈判下周开始"),
        ],
    ),
    e(
        p("{p} returns to {t} after ten years", "{p}十年后重返{t}"),
        p(
            "{p} had been away from {t} for ten years, but {day} {p.he} came home at last",
            "{p}离开{t}已经十年，{day}终于回来了",
        ),
        [
            p("a band was waiting at the station", "乐队在车站迎接"),
            p("{p.his} house still stood by the mill", "{p.he}的老屋还在磨坊旁边"),
            p("old friends sang until midnight", "老朋友们一直唱到半夜"),
        ],
    ),
];
