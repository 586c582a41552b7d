# Rewrites a deb822 .sources file of Debian release `from` into the source index of release `to`:
# keeps the stanzas that carry the release's own suites and component main, drops everyone else's.

BEGIN {
    RS = ""
    FS = "\n"
}

{
    ours = 0
    off = 0
    main = 0
    text = ""
    for (i = 1; i <= NF; i++) {
        line = $i
        if (line ~ /^#/)
            continue
        if (line ~ /^Enabled:[ \t]*no/)
            off = 1
        if (line ~ /^Types:/)
            line = "Types: deb-src"
        if (line ~ /^Components:/) {
            main = line ~ /[ \t]main([ \t]|$)/
            line = "Components: main"
        }
        if (line ~ /^Architectures:/)
            continue
        if (line ~ /^Suites:/) {
            count = split(substr(line, 8), suites, /[ \t]+/)
            line = "Suites:"
            for (j = 1; j <= count; j++)
                if (suites[j] ~ "^" from "(-updates|-security)?$") {
                    line = line " " to substr(suites[j], length(from) + 1)
                    ours = 1
                }
        }
        text = text line "\n"
    }
    if (ours && main && !off)
        print text
}
