// Shortcodes that bots and on-call people use; what is not here stays as it was typed.
export const emoji = {
  white_check_mark: '✅', heavy_check_mark: '✔️', ballot_box_with_check: '☑️', x: '❌', negative_squared_cross_mark: '❎', no_entry: '⛔',
  no_entry_sign: '🚫', warning: '⚠️', rotating_light: '🚨', fire: '🔥', boom: '💥', bell: '🔔', no_bell: '🔕', mega: '📣', loudspeaker: '📢',
  question: '❓', grey_question: '❔', exclamation: '❗', bangbang: '‼️', information_source: 'ℹ️', hourglass: '⌛',
  hourglass_flowing_sand: '⏳', stopwatch: '⏱️', alarm_clock: '⏰', clock1: '🕐', clock3: '🕒', clock9: '🕘', timer_clock: '⏲️', watch: '⌚',
  arrow_right: '➡️', arrow_forward: '▶️', arrow_down: '⬇️', arrow_up: '⬆️', leftwards_arrow_with_hook: '↩️', repeat: '🔁',
  arrows_counterclockwise: '🔄', fast_forward: '⏩', black_square_for_stop: '⏹️', octagonal_sign: '🛑', stop_sign: '🛑', construction: '🚧',
  lock: '🔒', unlock: '🔓', closed_lock_with_key: '🔐', key: '🔑', old_key: '🗝️', shield: '🛡️', eyes: '👀', wave: '👋', raised_hand: '✋',
  hand: '✋', thumbsup: '👍', '+1': '👍', thumbsdown: '👎', '-1': '👎', ok_hand: '👌', pray: '🙏', clap: '👏', muscle: '💪', point_right: '👉',
  tada: '🎉', sparkles: '✨', star: '⭐', star2: '🌟', rocket: '🚀', zap: '⚡', bulb: '💡', memo: '📝', pencil: '✏️', pencil2: '✏️',
  clipboard: '📋', page_facing_up: '📄', scroll: '📜', books: '📚', book: '📖', bookmark: '🔖', label: '🏷️', pushpin: '📌', paperclip: '📎',
  link: '🔗', mag: '🔍', mag_right: '🔎', wrench: '🔧', hammer: '🔨', hammer_and_wrench: '🛠️', gear: '⚙️', nut_and_bolt: '🔩', toolbox: '🧰',
  broom: '🧹', wastebasket: '🗑️', package: '📦', inbox_tray: '📥', outbox_tray: '📤', email: '✉️', envelope: '✉️', computer: '💻',
  floppy_disk: '💾', file_folder: '📁', open_file_folder: '📂', card_index_dividers: '🗂️', bar_chart: '📊', chart_with_upwards_trend: '📈',
  chart_with_downwards_trend: '📉', calendar: '📆', date: '📅', robot_face: '🤖', bust_in_silhouette: '👤', busts_in_silhouette: '👥',
  house: '🏠', house_with_garden: '🏡', office: '🏢', skull: '💀', ghost: '👻', smile: '😄', smiley: '😃', grinning: '😀', joy: '😂',
  slightly_smiling_face: '🙂', wink: '😉', thinking_face: '🤔', sweat_smile: '😅', cry: '😢', sob: '😭', scream: '😱', sleeping: '😴',
  heart: '❤️', broken_heart: '💔', green_heart: '💚', blue_heart: '💙', yellow_heart: '💛', '100': '💯', coffee: '☕', pizza: '🍕', cat: '🐱',
  dog: '🐶', snail: '🐌', turtle: '🐢', bug: '🐛', large_green_circle: '🟢', large_yellow_circle: '🟡', large_orange_circle: '🟠',
  red_circle: '🔴', large_red_circle: '🔴', large_blue_circle: '🔵', white_circle: '⚪', black_circle: '⚫', large_green_square: '🟩',
  large_red_square: '🟥', white_large_square: '⬜', black_large_square: '⬛', white_medium_square: '◻️', black_medium_square: '◼️',
  small_red_triangle: '🔺', small_orange_diamond: '🔸', small_blue_diamond: '🔹', large_blue_diamond: '🔷', large_orange_diamond: '🔶',
  one: '1️⃣', two: '2️⃣', three: '3️⃣', four: '4️⃣', five: '5️⃣', heavy_minus_sign: '➖', heavy_plus_sign: '➕', hash: '#️⃣', infinity: '♾️',
  recycle: '♻️', checkered_flag: '🏁', triangular_flag_on_post: '🚩', white_flag: '🏳️', traffic_light: '🚦', ambulance: '🚑',
  fire_engine: '🚒', fire_extinguisher: '🧯', sos: '🆘', new: '🆕', ok: '🆗', free: '🆓', door: '🚪', bricks: '🧱', ladder: '🪜', droplet: '💧',
  snowflake: '❄️', sunny: '☀️', cloud: '☁️', rainbow: '🌈', crescent_moon: '🌙', earth_africa: '🌍', handshake: '🤝', writing_hand: '✍️',
  speech_balloon: '💬', thought_balloon: '💭', zzz: '💤', dizzy: '💫', crossed_fingers: '🤞', raised_hands: '🙌', facepalm: '🤦', shrug: '🤷',
  hatched_chick: '🐥', party_popper: '🎉', trophy: '🏆', dart: '🎯', hole: '🕳️', test_tube: '🧪', microscope: '🔬', satellite: '🛰️',
};
export const quick = ['white_check_mark', 'eyes', 'raised_hands', 'rotating_light', 'tada', '+1', 'thinking_face', 'heart'];
export const withEmoji = (text) => text.replace(/:([a-z0-9_+-]+):/g, (all, name) => emoji[name] || all);
// Signs from before emoji were colourful need a variation selector, or fonts show them small and black.
for (const [name, sign] of Object.entries(emoji)) if (sign.length === 1) emoji[name] = `${sign}\uFE0F`;
