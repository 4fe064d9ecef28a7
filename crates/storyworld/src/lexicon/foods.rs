//! Foods and drinks, with the class, colour, taste and growing place of those that have one.

use super::{Noun, Pair, n, p};

/// One food or drink.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Food {
    pub(crate) noun: Noun,
    pub(crate) class: Pair,
    pub(crate) colour: Option<Pair>,
    pub(crate) taste: Option<Pair>,
    pub(crate) grows: Option<Pair>,
}

const FRUIT: Pair = p("fruit", "水果");
const VEGETABLE: Pair = p("vegetable", "蔬菜");
const DISH: Pair = p("cooked dish", "熟食");
const DESSERT: Pair = p("sweet snack", "甜点");
const DRINK: Pair = p("drink", "饮料");

const RED: Pair = p("red", "红色");
const YELLOW: Pair = p("yellow", "黄色");
const GREEN: Pair = p("green", "绿色");
const ORANGE: Pair = p("orange", "橙色");
const PURPLE: Pair = p("purple", "紫色");
const WHITE: Pair = p("white", "白色");
const BROWN: Pair = p("brown", "棕色");
const PINK: Pair = p("pink", "粉色");
const BLACK: Pair = p("black", "黑色");

const SWEET: Pair = p("sweet", "甜的");
const SOUR: Pair = p("sour", "酸的");
const BITTER: Pair = p("bitter", "苦的");
const SALTY: Pair = p("salty", "咸的");
const SPICY: Pair = p("spicy", "辣的");

const TREE: Pair = p("on trees", "树上");
const VINE: Pair = p("on vines", "藤上");
const SOIL: Pair = p("in the soil", "泥土下面");
const BUSH: Pair = p("on bushes", "灌木上");
const FIELD: Pair = p("in wet fields", "水田里");

const fn plant(noun: Noun, class: Pair, colour: Pair, taste: Pair, grows: Pair) -> Food {
    Food { noun, class, colour: Some(colour), taste: Some(taste), grows: Some(grows) }
}

const fn made(noun: Noun, class: Pair, colour: Pair, taste: Pair) -> Food {
    Food { noun, class, colour: Some(colour), taste: Some(taste), grows: None }
}

const fn plain(noun: Noun, class: Pair) -> Food {
    Food { noun, class, colour: None, taste: None, grows: None }
}

pub(crate) static FOODS: [Food; 36] = [
    plant(n("apple", "apples", "苹果", "个"), FRUIT, RED, SWEET, TREE),
    plant(n("banana", "bananas", "香蕉", "根"), FRUIT, YELLOW, SWEET, TREE),
    plant(n("lemon", "lemons", "柠檬", "个"), FRUIT, YELLOW, SOUR, TREE),
    plant(n("grape", "grapes", "葡萄", "颗"), FRUIT, PURPLE, SWEET, VINE),
    plant(n("cherry", "cherries", "樱桃", "颗"), FRUIT, RED, SOUR, TREE),
    plant(n("peach", "peaches", "桃子", "个"), FRUIT, PINK, SWEET, TREE),
    plant(n("pear", "pears", "梨", "个"), FRUIT, YELLOW, SWEET, TREE),
    plant(n("plum", "plums", "李子", "个"), FRUIT, PURPLE, SOUR, TREE),
    plant(n("watermelon", "watermelons", "西瓜", "个"), FRUIT, GREEN, SWEET, VINE),
    plant(n("strawberry", "strawberries", "草莓", "颗"), FRUIT, RED, SWEET, BUSH),
    plant(n("blueberry", "blueberries", "蓝莓", "颗"), FRUIT, PURPLE, SOUR, BUSH),
    plant(n("kiwi", "kiwis", "猕猴桃", "个"), FRUIT, GREEN, SOUR, VINE),
    plant(n("carrot", "carrots", "胡萝卜", "根"), VEGETABLE, ORANGE, SWEET, SOIL),
    plant(n("potato", "potatoes", "土豆", "个"), VEGETABLE, BROWN, p("plain", "清淡的"), SOIL),
    plant(n("onion", "onions", "洋葱", "个"), VEGETABLE, PURPLE, SPICY, SOIL),
    plant(n("radish", "radishes", "白萝卜", "根"), VEGETABLE, WHITE, SPICY, SOIL),
    plant(n("pumpkin", "pumpkins", "南瓜", "个"), VEGETABLE, ORANGE, SWEET, VINE),
    plant(n("cucumber", "cucumbers", "黄瓜", "根"), VEGETABLE, GREEN, p("plain", "清淡的"), VINE),
    plant(n("chilli", "chillies", "辣椒", "个"), VEGETABLE, RED, SPICY, BUSH),
    plant(n("bitter melon", "bitter melons", "苦瓜", "根"), VEGETABLE, GREEN, BITTER, VINE),
    plant(
        n("lotus root", "lotus roots", "莲藕", "节"),
        VEGETABLE,
        WHITE,
        p("plain", "清淡的"),
        FIELD,
    ),
    made(n("rice", "", "米饭", "碗"), DISH, WHITE, p("plain", "清淡的")),
    made(n("ham", "", "火腿", "片"), DISH, PINK, SALTY),
    made(n("cheese", "", "奶酪", "块"), DISH, YELLOW, SALTY),
    plain(n("bread", "", "面包", "块"), DISH),
    plain(n("soup", "", "热汤", "碗"), DISH),
    plain(n("pizza", "", "比萨", "块"), DISH),
    plain(n("dumpling", "dumplings", "饺子", "个"), DISH),
    plain(n("sandwich", "sandwiches", "三明治", "个"), DISH),
    plain(n("pancake", "pancakes", "煎饼", "张"), DISH),
    made(n("pickle", "pickles", "咸菜", "份"), DISH, GREEN, SALTY),
    made(n("fried chicken", "", "炸鸡", "份"), DISH, BROWN, SALTY),
    made(n("chocolate", "", "巧克力", "块"), DESSERT, BROWN, SWEET),
    plain(n("biscuit", "biscuits", "饼干", "块"), DESSERT),
    plain(n("ice cream", "", "冰淇淋", "份"), DESSERT),
    plain(n("pudding", "", "布丁", "份"), DESSERT),
];

pub(crate) static DRINKS: [Food; 8] = [
    made(n("milk", "", "牛奶", "杯"), DRINK, WHITE, p("plain", "清淡的")),
    made(n("coffee", "", "咖啡", "杯"), DRINK, BLACK, BITTER),
    made(n("green tea", "", "绿茶", "杯"), DRINK, GREEN, BITTER),
    made(n("lemonade", "", "柠檬水", "杯"), DRINK, YELLOW, SOUR),
    made(n("orange juice", "", "橙汁", "杯"), DRINK, ORANGE, SWEET),
    made(n("hot cocoa", "", "热可可", "杯"), DRINK, BROWN, SWEET),
    made(n("soy milk", "", "豆浆", "杯"), DRINK, WHITE, SWEET),
    made(n("tomato juice", "", "番茄汁", "杯"), DRINK, RED, SALTY),
];
