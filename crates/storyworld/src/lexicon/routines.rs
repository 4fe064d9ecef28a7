//! Routines: a goal and its four steps in order. `{he}` and `{his}` stand for the person.

use super::{Pair, p};

/// How many consecutive rows of [`ROUTINES`] form one themed group.
pub(crate) const ROUTINE_GROUP: usize = 6;

/// One routine; `goal` is a base verb phrase, `steps` are past verb phrases in order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Routine {
    pub(crate) goal: Pair,
    pub(crate) steps: [Pair; 4],
}

const fn r(goal: Pair, steps: [Pair; 4]) -> Routine {
    Routine { goal, steps }
}

/// Groups of six: kitchen, outdoors, home, town, crafts.
pub(crate) static ROUTINES: [Routine; 30] = [
    r(
        p("make a pot of tea", "泡一壶茶"),
        [
            p("boiled some water in the kettle", "用水壶烧开了水"),
            p("put the tea leaves into the pot", "把茶叶放进壶里"),
            p("poured the hot water over the leaves", "把热水倒在茶叶上"),
            p("waited a little and filled a cup", "等了一会儿，倒满一杯"),
        ],
    ),
    r(
        p("bake a birthday cake", "烤一个生日蛋糕"),
        [
            p("mixed flour, eggs and sugar in a bowl", "在碗里把面粉、鸡蛋和糖拌匀"),
            p("poured the mixture into a round tin", "把面糊倒进圆模具"),
            p("put the tin in the hot oven", "把模具放进热烤箱"),
            p("took the cake out and let it cool", "把蛋糕取出来放凉"),
        ],
    ),
    r(
        p("cook noodle soup", "煮一锅汤面"),
        [
            p("filled a big pot with water", "在大锅里装满了水"),
            p("dropped the noodles into the boiling water", "把面条放进开水里"),
            p("added some salt and green onions", "加了一点盐和葱花"),
            p("served the noodles in deep bowls", "把面条盛到深碗里"),
        ],
    ),
    r(
        p("make a fruit salad", "做一份水果沙拉"),
        [
            p("washed the fruit under the tap", "在水龙头下洗了水果"),
            p("peeled the skin off with a knife", "用小刀削了皮"),
            p("cut everything into small pieces", "把水果都切成小块"),
            p("stirred in some sweet yogurt", "拌上了甜甜的酸奶"),
        ],
    ),
    r(
        p("fry an egg", "煎一个鸡蛋"),
        [
            p("heated some oil in a pan", "在平底锅里热了油"),
            p("cracked the shell on the edge", "在锅边敲开了蛋壳"),
            p("waited until the white was firm", "等到蛋白凝固"),
            p("slid the egg onto a plate", "把煎蛋滑到盘子里"),
        ],
    ),
    r(
        p("wrap some dumplings", "包一盘饺子"),
        [
            p("chopped the cabbage and the meat", "剁碎了白菜和肉"),
            p("rolled the dough into thin circles", "把面团擀成薄薄的圆皮"),
            p("folded the filling into the dough", "把馅儿包进皮里"),
            p("steamed them for ten minutes", "上锅蒸了十分钟"),
        ],
    ),
    r(
        p("plant a young tree", "种一棵小树"),
        [
            p("dug a deep hole with a spade", "用铁锹挖了一个深坑"),
            p("set the little tree in the hole", "把小树放进坑里"),
            p("covered the roots with soil", "用土盖住了树根"),
            p("poured a bucket of water on it", "给它浇了一桶水"),
        ],
    ),
    r(
        p("catch some fish", "去钓几条鱼"),
        [
            p("put a worm on the hook", "在鱼钩上挂了一条虫"),
            p("threw the line into the water", "把鱼线抛进水里"),
            p("watched the float without a sound", "一声不响地盯着浮漂"),
            p("pulled the line in quickly", "飞快地收起了鱼线"),
        ],
    ),
    r(
        p("camp in the woods", "在林中过夜"),
        [
            p("found a flat piece of ground", "找到了一块平地"),
            p("put up the tent between two trees", "在两棵树之间搭起帐篷"),
            p("gathered dry wood and lit a fire", "捡来干柴点起了火"),
            p("crawled into a warm sleeping bag", "钻进了暖和的睡袋"),
        ],
    ),
    r(
        p("let a paper dragon fly", "放一条纸龙"),
        [
            p("tied a long string to the frame", "在骨架上系好了长线"),
            p("carried it up a windy hill", "把它带上了有风的山坡"),
            p("ran fast against the wind", "迎着风快跑起来"),
            p("watched it rise into the sky", "看着它升上天空"),
        ],
    ),
    r(
        p("build a snowman", "堆一个雪人"),
        [
            p("rolled a big ball of snow", "滚了一个大雪球"),
            p("set a smaller ball on top", "在上面放了一个小雪球"),
            p("pressed in two stones for eyes", "按上两颗石子当眼睛"),
            p("stuck two branches in for arms", "插上两根树枝当胳膊"),
        ],
    ),
    r(
        p("grow some tomatoes", "种一些番茄"),
        [
            p("filled small pots with soil", "在小花盆里装满了土"),
            p("pressed a seed into each pot", "在每个盆里按进一粒种子"),
            p("watered the young plants every day", "天天给小苗浇水"),
            p("picked the ripe red tomatoes", "摘下了熟透的红番茄"),
        ],
    ),
    r(
        p("give the puppy a bath", "给狗洗澡"),
        [
            p("filled the tub with warm water", "在盆里放满了温水"),
            p("lifted the puppy into the tub", "把狗抱进盆里"),
            p("rubbed soap into its fur", "在它的毛上搓了肥皂"),
            p("dried it with an old towel", "用旧毛巾把它擦干"),
        ],
    ),
    r(
        p("do the laundry", "洗一堆衣服"),
        [
            p("sorted the dirty clothes", "把脏衣服分了类"),
            p("loaded the washing machine", "把衣服放进洗衣机"),
            p("hung the wet clothes on the line", "把湿衣服晾在绳上"),
            p("folded the dry clothes neatly", "把干衣服叠得整整齐齐"),
        ],
    ),
    r(
        p("paint the bedroom", "给卧室刷漆"),
        [
            p("covered the floor with newspapers", "在地板上铺了报纸"),
            p("opened a can of blue paint", "打开了一桶蓝漆"),
            p("rolled the paint onto the walls", "把漆刷到墙上"),
            p("left the window open to dry it", "开着窗户让墙晾干"),
        ],
    ),
    r(
        p("get ready for bed", "准备上床睡觉"),
        [
            p("brushed {his} teeth", "刷了牙"),
            p("put on soft pyjamas", "换上了柔软的睡衣"),
            p("read one page of a story", "读了一页故事"),
            p("turned off the light", "关上了灯"),
        ],
    ),
    r(
        p("mend a flat tyre", "补一个瘪轮胎"),
        [
            p("turned the bicycle upside down", "把自行车倒过来放"),
            p("took off the front wheel", "卸下了前轮"),
            p("stuck a patch on the hole", "在破洞上贴了补丁"),
            p("pumped air into the tyre", "给轮胎打足了气"),
        ],
    ),
    r(
        p("change a light bulb", "换一个灯泡"),
        [
            p("switched off the power", "关掉了电源"),
            p("climbed up on a steady stool", "站上了一张稳当的凳子"),
            p("unscrewed the old bulb", "拧下了旧灯泡"),
            p("screwed in a new bulb", "拧上了新灯泡"),
        ],
    ),
    r(
        p("borrow a thick novel", "借一本厚小说"),
        [
            p("looked through the long shelves", "在长长的书架间找"),
            p("chose a volume with a red cover", "挑了一本红封面的"),
            p("showed {his} card at the desk", "在柜台出示了借书证"),
            p("promised to return it in two weeks", "答应两周以后归还"),
        ],
    ),
    r(
        p("mail a parcel", "寄一个包裹"),
        [
            p("packed the gift in a strong box", "把礼物装进结实的盒子"),
            p("wrote the address on the lid", "在盒盖上写了地址"),
            p("waited in line at the counter", "在窗口前排队"),
            p("paid for the stamps", "付了邮票钱"),
        ],
    ),
    r(
        p("travel by train", "坐火车出门"),
        [
            p("bought a ticket at the window", "在窗口买了车票"),
            p("looked for the right platform", "找到了对的站台"),
            p("got on and sat by the window", "上车坐在窗边"),
            p("got off at the last stop", "在最后一站下了车"),
        ],
    ),
    r(
        p("see a new film", "看一场新电影"),
        [
            p("checked the times on the poster", "看了海报上的场次"),
            p("bought popcorn in the hall", "在大厅买了爆米花"),
            p("found {his} seat in the dark", "在黑暗中找到座位"),
            p("clapped when the film ended", "电影结束时鼓起掌来"),
        ],
    ),
    r(
        p("have a tooth checked", "去检查牙齿"),
        [
            p("called to make an appointment", "打电话约好了时间"),
            p("read a magazine in the waiting room", "在候诊室翻了杂志"),
            p("opened {his} mouth wide", "张大了嘴巴"),
            p("rinsed with cold water", "用凉水漱了口"),
        ],
    ),
    r(
        p("get a haircut", "去剪头发"),
        [
            p("sat down in front of the big glass", "在大镜前坐下"),
            p("explained which style to cut", "说了想剪的样式"),
            p("kept {his} head very still", "一动不动地坐着"),
            p("brushed the loose hair off", "掸掉了碎头发"),
        ],
    ),
    r(
        p("write a long letter", "写一封长信"),
        [
            p("took a clean sheet of paper", "拿出一张干净的信纸"),
            p("began with a warm greeting", "先写了亲切的问候"),
            p("signed {his} name at the bottom", "在末尾签上名字"),
            p("sealed the envelope with glue", "用胶水封好了信封"),
        ],
    ),
    r(
        p("fold a paper boat", "折一只纸船"),
        [
            p("laid a square sheet on the table", "把方纸铺在桌上"),
            p("folded it in half twice", "对折了两次"),
            p("pulled the two corners apart", "把两个角拉开"),
            p("let it float in the sink", "让它漂在水池里"),
        ],
    ),
    r(
        p("knit a pair of socks", "织一双袜子"),
        [
            p("chose a ball of soft wool", "挑了一团软毛线"),
            p("counted the first row of loops", "数好了第一排针脚"),
            p("shaped the heel with care", "细心地织出了脚跟"),
            p("closed the toes with a knot", "在脚尖打结收了口"),
        ],
    ),
    r(
        p("paint a portrait", "画一幅肖像"),
        [
            p("set a canvas on the easel", "把画布架到画架上"),
            p("sketched the face in pencil", "用铅笔勾出了脸"),
            p("mixed the colours for the skin", "调好了皮肤的颜色"),
            p("added light to the eyes at last", "最后给眼睛点上了光"),
        ],
    ),
    r(
        p("build a birdhouse", "做一个鸟屋"),
        [
            p("sawed the boards to size", "把木板锯成合适的大小"),
            p("nailed the four walls together", "把四面墙钉在一起"),
            p("drilled a round hole in the front", "在正面钻了一个圆孔"),
            p("hung it from a high branch", "把它挂在高高的树枝上"),
        ],
    ),
    r(
        p("learn a new song", "学一首新歌"),
        [
            p("listened to the tune three times", "把曲调听了三遍"),
            p("copied the words into a notebook", "把歌词抄在本子上"),
            p("practised the hard part slowly", "慢慢练习难的地方"),
            p("sang it aloud from memory", "不看歌词大声唱了出来"),
        ],
    ),
];
