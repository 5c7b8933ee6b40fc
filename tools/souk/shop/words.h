#pragma once
/// The words that generated shops are made of.
#include <array>
#include <string_view>

namespace souk::cli::words {

struct Kind {
  std::string_view department, shelf;
  std::array<std::string_view, 6> nouns;
  int price_low, price_high;  // in whole units
};

inline constexpr std::array<Kind, 16> kinds = {{
    {"Home", "Kitchen", {"Mug", "Teapot", "Bread Bin", "Chopping Board", "Pan", "Whisk"}, 4, 60},
    {"Home",
     "Living Room",
     {"Cushion", "Throw", "Candle", "Vase", "Picture Frame", "Lamp"},
     6,
     120},
    {"Home",
     "Bedroom",
     {"Duvet Cover", "Pillow", "Blanket", "Alarm Clock", "Rug", "Mirror"},
     12,
     180},
    {"Home",
     "Bathroom",
     {"Towel", "Soap Dish", "Bath Mat", "Shower Curtain", "Basket", "Robe"},
     5,
     70},
    {"Garden",
     "Planting",
     {"Flower Pot", "Watering Can", "Trowel", "Seed Box", "Trellis", "Gloves"},
     4,
     55},
    {"Garden",
     "Outdoors",
     {"Lantern", "Bird Feeder", "Hammock", "Parasol", "Bench", "Fire Bowl"},
     12,
     240},
    {"Clothing", "Knitwear", {"Jumper", "Cardigan", "Scarf", "Beanie", "Socks", "Mittens"}, 9, 140},
    {"Clothing", "Everyday", {"T-Shirt", "Shirt", "Trousers", "Skirt", "Dress", "Jacket"}, 14, 220},
    {"Clothing",
     "Shoes",
     {"Trainers", "Boots", "Sandals", "Slippers", "Loafers", "Wellies"},
     24,
     210},
    {"Food",
     "Tea and Coffee",
     {"Breakfast Tea", "Green Tea", "Espresso", "Cold Brew", "Cocoa", "Chai"},
     3,
     28},
    {"Food", "Pantry", {"Honey", "Olive Oil", "Pasta", "Marmalade", "Chutney", "Biscuits"}, 2, 24},
    {"Toys",
     "Play",
     {"Puzzle", "Building Blocks", "Kite", "Doll", "Train Set", "Board Game"},
     6,
     90},
    {"Toys", "Craft", {"Paint Set", "Clay", "Beads", "Stickers", "Origami Paper", "Loom"}, 4, 45},
    {"Sport",
     "Outdoor",
     {"Tent", "Rucksack", "Water Bottle", "Head Torch", "Sleeping Bag", "Compass"},
     9,
     320},
    {"Sport",
     "Fitness",
     {"Yoga Mat", "Skipping Rope", "Dumbbell", "Foam Roller", "Kettlebell", "Band"},
     6,
     95},
    {"Office",
     "Desk",
     {"Notebook", "Pen Set", "Desk Tidy", "Calendar", "Envelope Pack", "Stapler"},
     2,
     48},
}};

inline constexpr std::array<std::string_view, 24> looks = {
    "Classic", "Blue",   "Striped", "Dotted",    "Vintage", "Modern", "Large",  "Small",
    "Green",   "Red",    "Natural", "Hand-Made", "Folding", "Soft",   "Bright", "Nordic",
    "Rustic",  "Floral", "Plain",   "Travel",    "Deluxe",  "Little", "Ivory",  "Midnight"};

inline constexpr std::array<std::string_view, 14> materials = {
    "Cotton", "Wool",   "Oak",  "Bamboo", "Ceramic", "Glass", "Linen",
    "Steel",  "Enamel", "Cork", "Paper",  "Copper",  "Felt",  "Organic"};

inline constexpr std::array<std::string_view, 30> brands = {
    "Alder & Finch", "Bramble",    "Casa Lumo",    "Dovetail",  "Ember",       "Fjord",
    "Grove",         "Hazel & Co", "Indigo Works", "Juniper",   "Kestrel",     "Larkspur",
    "Meadowsweet",   "Northlight", "Otter Bay",    "Pebble",    "Quill",       "Rosehip",
    "Saltmarsh",     "Thistle",    "Umber",        "Verity",    "Willow Lane", "Yarrow",
    "Zephyr",        "Maison Clé", "Søstrene",     "Tidewater", "Copperfield", "Bluebell"};

inline constexpr std::array<std::string_view, 40> first_names = {
    "Ada",  "Amir",  "Anna", "Ben",  "Carla", "Chen",  "Dara", "Elif", "Emil", "Fatima",
    "Finn", "Grace", "Hana", "Hugo", "Ines",  "Ivan",  "Jack", "Jana", "Kofi", "Lea",
    "Liam", "Luca",  "Maja", "Mei",  "Mia",   "Nadia", "Noah", "Nora", "Olga", "Omar",
    "Pia",  "Ravi",  "Rosa", "Sam",  "Sofia", "Tariq", "Tom",  "Yara", "Zoe",  "Zuri"};

inline constexpr std::array<std::string_view, 40> last_names = {
    "Adams",   "Ali",     "Bauer",  "Becker", "Brown",  "Costa",  "Diaz",   "Dubois",
    "Evans",   "Fischer", "Garcia", "Green",  "Hansen", "Hughes", "Ivanov", "Jansen",
    "Jones",   "Kaya",    "Khan",   "Kim",    "Lang",   "Lopez",  "Martin", "Meyer",
    "Moreau",  "Murphy",  "Nguyen", "Novak",  "Okafor", "Patel",  "Rossi",  "Santos",
    "Schmidt", "Silva",   "Smith",  "Sato",   "Tanaka", "Walker", "Wilson", "Young"};

struct Country {
  std::string_view code;
  int weight;
};
inline constexpr std::array<Country, 10> countries = {{{"GB", 62},
                                                       {"DE", 9},
                                                       {"FR", 8},
                                                       {"IE", 6},
                                                       {"ES", 4},
                                                       {"NL", 4},
                                                       {"BE", 2},
                                                       {"SE", 2},
                                                       {"PT", 2},
                                                       {"AU", 1}}};

}  // namespace souk::cli::words
