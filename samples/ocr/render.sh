#!/bin/sh
# Renders the sample pictures and expected.tsv. Needs ImageMagick and the DejaVu fonts
# (Debian: imagemagick, fonts-dejavu).
set -eu
cd "$(dirname "$0")"
fonts="${FONTS:-/usr/share/fonts/truetype/dejavu}"
: > expected.tsv
# name font points height colour-type(0 grey, 2 RGB, 6 RGBA) ground ink text
line() {
    convert -background "$6" -fill "$7" -font "$fonts/$2.ttf" -pointsize "$3" label:"$8" \
        -bordercolor "$6" -border 8x0 -gravity center -extent "x$4" -strip -depth 8 -interlace none \
        -define png:bit-depth=8 -define png:color-type="$5" -define png:compression-level=9 \
        -define png:exclude-chunks=all "PNG:$1.png"
    printf '%s.png\t%s\n' "$1" "$8" >> expected.tsv
}
line invoice   DejaVuSans        34 48  2 white   black   'Invoice total 1,284.50 EUR'
line order     DejaVuSerif       34 48  2 white   '#202020' 'Order #12345 shipped 2026-11-22'
line ticket    DejaVuSansMono    30 48  0 white   black   'Ticket 7F-0042 seat 18C'
line parcel    DejaVuSans-Bold   34 48  2 '#fff4d6' '#40260a' 'Parcel weight 3.75 kg'
line meeting   DejaVuSans        24 32  0 white   black   'Meeting moved to Thursday at 14:30'
line address   DejaVuSerif       56 80  2 white   '#101840' '221B Baker Street, London'
line serial    DejaVuSansMono    72 112 0 '#f0f0f0' '#303030' 'SN 9400-1187-X'
line stamp     DejaVuSans-Bold   34 48  6 none    '#b00020' 'PAID IN FULL'
line badge     DejaVuSans        44 64  6 none    '#004080' 'Visitor 27'
line notice    DejaVuSerif-Bold  34 48  2 '#1c2a3a' white   'Closed on public holidays'
