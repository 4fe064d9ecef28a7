//! Animals: class, food, home and voice. The single values are the world's own truth.

use super::{Noun, Pair, n, p};

/// One animal; `voice` is a third-person verb.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Animal {
    pub(crate) noun: Noun,
    pub(crate) class: Pair,
    pub(crate) diet: Pair,
    pub(crate) habitat: Pair,
    pub(crate) voice: Option<Pair>,
}

const MAMMAL: Pair = p("mammal", "哺乳动物");
const BIRD: Pair = p("bird", "鸟类");
const FISH: Pair = p("fish", "鱼类");
const INSECT: Pair = p("insect", "昆虫");
const REPTILE: Pair = p("reptile", "爬行动物");

const GRASS: Pair = p("grass", "青草");
const MEAT: Pair = p("meat", "肉");
const SHRIMP: Pair = p("small fish", "小鱼");
const BUGS: Pair = p("insects", "虫子");
const SEEDS: Pair = p("seeds", "种子");
const FRUIT: Pair = p("fruit", "水果");
const LEAVES: Pair = p("leaves", "树叶");
const HONEY: Pair = p("honey", "蜂蜜");
const MICE: Pair = p("mice", "老鼠");
const BAMBOO: Pair = p("bamboo", "竹子");
const NUTS: Pair = p("nuts", "坚果");
const NECTAR: Pair = p("nectar", "花蜜");
const WEED: Pair = p("seaweed", "海草");

const FOREST: Pair = p("in the forest", "森林里");
const DESERT: Pair = p("in the desert", "沙漠里");
const SEA: Pair = p("in the sea", "大海里");
const RIVER: Pair = p("in rivers", "河里");
const PLAINS: Pair = p("on the grassland", "草原上");
const MOUNTAIN: Pair = p("in the mountains", "高山上");
const FARM: Pair = p("on farms", "农舍旁");
const JUNGLE: Pair = p("in the jungle", "丛林里");
const ICE: Pair = p("on the ice", "冰面上");
const GROUND: Pair = p("under the ground", "地洞里");
const HOUSE: Pair = p("in houses", "人们家里");
const POND: Pair = p("near ponds", "池塘边");

const fn a(noun: Noun, class: Pair, diet: Pair, habitat: Pair) -> Animal {
    Animal { noun, class, diet, habitat, voice: None }
}

const fn v(noun: Noun, class: Pair, diet: Pair, habitat: Pair, voice: Pair) -> Animal {
    Animal { noun, class, diet, habitat, voice: Some(voice) }
}

pub(crate) static ANIMALS: [Animal; 44] = [
    a(n("fox", "foxes", "狐狸", "只"), MAMMAL, MICE, FOREST),
    v(n("wolf", "wolves", "灰狼", "只"), MAMMAL, MEAT, FOREST, p("howls", "嗷嗷叫")),
    v(n("bear", "bears", "棕熊", "头"), MAMMAL, HONEY, FOREST, p("growls", "低声吼叫")),
    a(n("deer", "deer", "梅花鹿", "只"), MAMMAL, LEAVES, FOREST),
    a(n("rabbit", "rabbits", "兔子", "只"), MAMMAL, GRASS, GROUND),
    a(n("squirrel", "squirrels", "松鼠", "只"), MAMMAL, NUTS, FOREST),
    v(n("lion", "lions", "狮子", "头"), MAMMAL, MEAT, PLAINS, p("roars", "大声怒吼")),
    v(n("elephant", "elephants", "大象", "头"), MAMMAL, LEAVES, PLAINS, p("trumpets", "高声长鸣")),
    a(n("giraffe", "giraffes", "长颈鹿", "只"), MAMMAL, LEAVES, PLAINS),
    a(n("zebra", "zebras", "斑马", "匹"), MAMMAL, GRASS, PLAINS),
    v(n("horse", "horses", "小马", "匹"), MAMMAL, GRASS, FARM, p("neighs", "咴咴叫")),
    v(n("cow", "cows", "奶牛", "头"), MAMMAL, GRASS, FARM, p("moos", "哞哞叫")),
    v(n("sheep", "sheep", "绵羊", "只"), MAMMAL, GRASS, FARM, p("bleats", "咩咩叫")),
    v(n("goat", "goats", "山羊", "只"), MAMMAL, GRASS, MOUNTAIN, p("bleats", "咩咩叫")),
    v(n("pig", "pigs", "小猪", "头"), MAMMAL, FRUIT, FARM, p("oinks", "哼哼叫")),
    v(n("dog", "dogs", "小狗", "只"), MAMMAL, MEAT, HOUSE, p("barks", "汪汪叫")),
    v(n("cat", "cats", "小猫", "只"), MAMMAL, MICE, HOUSE, p("meows", "喵喵叫")),
    v(n("mouse", "mice", "老鼠", "只"), MAMMAL, SEEDS, GROUND, p("squeaks", "吱吱叫")),
    a(n("mole", "moles", "鼹鼠", "只"), MAMMAL, BUGS, GROUND),
    a(n("hamster", "hamsters", "仓鼠", "只"), MAMMAL, SEEDS, HOUSE),
    a(n("panda", "pandas", "熊猫", "只"), MAMMAL, BAMBOO, MOUNTAIN),
    a(n("monkey", "monkeys", "猴子", "只"), MAMMAL, FRUIT, JUNGLE),
    a(n("tiger", "tigers", "老虎", "只"), MAMMAL, MEAT, JUNGLE),
    a(n("camel", "camels", "骆驼", "头"), MAMMAL, LEAVES, DESERT),
    a(n("whale", "whales", "鲸鱼", "头"), MAMMAL, SHRIMP, SEA),
    a(n("dolphin", "dolphins", "海豚", "只"), MAMMAL, SHRIMP, SEA),
    a(n("seal", "seals", "海豹", "只"), MAMMAL, SHRIMP, ICE),
    v(n("owl", "owls", "猫头鹰", "只"), BIRD, MICE, FOREST, p("hoots", "呜呜叫")),
    a(n("eagle", "eagles", "老鹰", "只"), BIRD, MICE, MOUNTAIN),
    a(n("penguin", "penguins", "企鹅", "只"), BIRD, SHRIMP, ICE),
    v(n("duck", "ducks", "鸭子", "只"), BIRD, SEEDS, POND, p("quacks", "嘎嘎叫")),
    v(n("rooster", "roosters", "公鸡", "只"), BIRD, SEEDS, FARM, p("crows", "喔喔叫")),
    a(n("parrot", "parrots", "鹦鹉", "只"), BIRD, FRUIT, JUNGLE),
    v(n("sparrow", "sparrows", "麻雀", "只"), BIRD, SEEDS, FARM, p("chirps", "叽叽喳喳叫")),
    a(n("shark", "sharks", "鲨鱼", "条"), FISH, SHRIMP, SEA),
    a(n("salmon", "salmon", "鲑鱼", "条"), FISH, BUGS, RIVER),
    a(n("carp", "carp", "鲤鱼", "条"), FISH, WEED, RIVER),
    v(n("bee", "bees", "蜜蜂", "只"), INSECT, NECTAR, FARM, p("buzzes", "嗡嗡叫")),
    a(n("butterfly", "butterflies", "蝴蝶", "只"), INSECT, NECTAR, PLAINS),
    a(n("ant", "ants", "蚂蚁", "只"), INSECT, SEEDS, GROUND),
    v(
        n("frog", "frogs", "青蛙", "只"),
        p("amphibian", "两栖动物"),
        BUGS,
        POND,
        p("croaks", "呱呱叫"),
    ),
    v(n("snake", "snakes", "蛇", "条"), REPTILE, MICE, DESERT, p("hisses", "嘶嘶叫")),
    a(n("lizard", "lizards", "蜥蜴", "只"), REPTILE, BUGS, DESERT),
    a(n("turtle", "turtles", "海龟", "只"), REPTILE, WEED, SEA),
];
