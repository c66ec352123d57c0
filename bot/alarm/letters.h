/* The letters of a foreign text as rules expect them, so that what looks the same to a reader is the same to a pattern. Pure.
 *
 * Blanks of any kind become one space, line ends of any kind "\n", a hyphen that does not break becomes "-", a dash between two
 * words " - "; what shows as nothing (zero-width, soft hyphens, signs of direction, variants of emoji) is left out; UUIDs become
 * small. Letters that only look alike stay what they are: "сutia" with a Cyrillic с is no service of ours. */
#ifndef HM_ALARM_LETTERS_H
#define HM_ALARM_LETTERS_H

/* text: valid UTF-8. Never fails; what is returned is at most as long. Caller frees. */
char *hm_alarm_letters(const char *text);

#endif
