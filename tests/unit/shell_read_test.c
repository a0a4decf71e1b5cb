// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "shell_reading.h"

/* VERSION is known, HOME is /root, TOKEN is set to something; /w is the directory. */
static void read_it(const char *text, sb_arena *arena, sb_sh_reading *ret_reading)
{
    const sb_sh_var vars[] = {
        {SB_LIT("VERSION"), SB_LIT("1.2.3")}, {SB_LIT("HOME"), SB_LIT("/root")}, {SB_LIT("TOKEN"), SB_NIL}};
    const sb_sh_options options = {
        .vars = vars, .var_count = SB_COUNT(vars), .directory = SB_LIT("/w"), .dialect = SB_SH_BASH};

    sb_sh_read(sb_slice_z(text), &options, arena, ret_reading);
}

static void reads(const char *text, const char *expected)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autobuf out = SB_BUF_INIT(1 << 20);
    sb_sh_reading reading;

    read_it(text, arena, &reading);
    reading_print(&out, &reading);
    if (reading.trouble)
        fail_msg("%s: %s", text, reading.trouble);
    if (!sb_slice_eqz(sb_buf_slice(&out), expected))
        fail_msg("%s\nis read as\n%s\nand should be\n%s", text, out.data ? out.data : "", expected);
}

static void test_words(void **state)
{
    (void)state;
    reads("apt-get install -y 'a b' \"c\"d \\;", "apt-get install -y <a b> cd ;\n");
    reads("/usr/bin/curl x", "/usr/bin/curl x\n");
    reads("echo $NOPE \"$NOPE/x\" ${NOPE:-y} $(date) `date` $((1+2)) *.deb",
          "echo ?<$NOPE> ?<$NOPE/x> ?<${NOPE:-y}> ?<$(date)> ?<`date`> ?<$((1+2))> *.deb\n"
          ">0.4a date\n>0.5a date\n");
    reads("echo \"$NOPE\"x \"${NOPE}\"x", "echo ?<${NOPE}x> ?<${NOPE}x>\n");
    reads("", "");
    reads("# nothing", "");
    reads("> f", "{1> f}\n");
    reads("a >f 2>&1 <g 2>>h &>i 3<<<j", "a {1> f} {2>& 1} {0< g} {2>> h} {1*&> i} {3<<< j}\n");
    reads("cat <<E >f\na $VERSION $NOPE\nE", "cat {0<< a 1.2.3 $NOPE\n} {1> f}\n");
    reads("cat <<'E'\n$VERSION\nE", "cat {0<< $VERSION\n}\n");
}

static void test_variables(void **state)
{
    (void)state;
    reads("v=1; echo $v \"$v.0\" '$v' \\$v", "v=<1>\necho 1 1.0 $v $v\n");
    reads("echo $VERSION $TOKEN $HOME/x", "echo 1.2.3 ?<$TOKEN> /root/x\n");
    reads("p='a b'; x $p \"$p\" y$p", "p=<a b>\nx a b <a b> ya b\n");
    reads("e=; x $e \"$e\"", "e=<>\nx <>\n");
    reads("a=x b=$NOPE/y; echo $a $b", "a=<x> b=?<$NOPE/y>\necho x ?<$NOPE/y>\n");
    reads("export A=1 B; readonly C=\"2 3\"; echo $A $B $C",
          "export A=1 B\nreadonly <C=2 3>\necho 1 ?<$B> 2 3\n");
    reads("a=1; a+=2; echo $a", "a=<1>\na=<2>\necho 12\n");
    reads("A=1 cmd $A; echo $A", "A=<1> cmd ?<$A>\necho ?<$A>\n");
    reads("a=1; unset a; echo ${a:-none}", "a=<1>\nunset a\necho none\n");
    reads("a=1; read a; echo $a", "a=<1>\nread a\necho ?<$a>\n");
    reads("a=1; (a=2; echo $a); echo $a", "a=<1>\na=<2>\necho 2\necho 1\n");
    reads("a=1; a=2 | cat; echo $a", "a=<1>\n0| a=<2>\n|1 cat\necho 1\n");
    reads("x=$(a=5; b); echo $x $a", "x=?<$(a=5; b)>\na~x a=<5>\na~x b\necho ?<$(a=5; b)> ?<$a>\n");
    reads("set -- a b; echo $1 \"$@\" $3; shift; echo $1", "set -- a b\necho a a b ?<$3>\nshift\necho b\n");
}

static void test_operators(void **state)
{
    (void)state;
    reads("echo ${VERSION%.*} ${VERSION%%.*} ${VERSION#*.} ${VERSION##*.}", "echo 1.2 1 2.3 3\n");
    reads("echo ${VERSION/./_} ${VERSION//./_} ${VERSION/#1/x} ${VERSION/%3/y} ${VERSION//.}",
          "echo 1_2.3 1_2_3 x.2.3 1.2.y 123\n");
    reads("echo ${VERSION:0:3} ${VERSION:2} ${VERSION: -1} ${#VERSION}", "echo 1.2 2.3 3 5\n");
    reads("echo ${VERSION:-a} ${VERSION:+b} ${VERSION+c} ${VERSION:?d}", "echo 1.2.3 b c 1.2.3\n");
    reads("e=; echo ${e:-a} ${e-b}x ${e:+c} ${e:=d}", "e=<>\necho a x d\n");
    reads("e=; echo ${e:-a b} \"${e:-a b}\" ${e:-'a b'}", "e=<>\necho a b <a b> <a b>\n");
    reads("unset u; echo ${u-a} ${u+b}c; e=; echo x${e-a} ${e+b}", "unset u\necho a c\ne=<>\necho x b\n");
    reads("e= p=1 s=/; echo ${VERSION/#/v} ${VERSION/%/w} ${VERSION/#$e/x} ${e/*/y} \"${VERSION#$p}\" "
          "${HOME/$s/_}",
          "e=<> p=<1> s=</>\necho v1.2.3 1.2.3w x1.2.3 y .2.3 _root\n");
    reads("v=Abc; echo ${v^^} ${v,,} ${v^} ${v,}", "v=<Abc>\necho ABC abc Abc abc\n");
    reads("s=.3; echo ${VERSION%$s} ${VERSION%\"$s\"} ${VERSION%[0-9]} ${VERSION%\\*}",
          "s=<.3>\necho 1.2 1.2 1.2. 1.2.3\n");
    reads("echo ${VERSION%$NOPE} ${VERSION@Q}", "echo ?<${VERSION%$NOPE}> ?<${VERSION@Q}>\n");
}

static void test_braces(void **state)
{
    (void)state;
    reads("x a{b,c}d {1..3} {3..1}e", "x abd acd 1 2 3 3e 2e 1e\n");
    reads("x {a,b}{c,d} {a,{b,c}d}", "x ac ad bc bd a bd cd\n");
    reads("x {a,'b c',$VERSION,\"$NOPE\"}", "x a <b c> 1.2.3 ?<$NOPE>\n");
    reads("x {} {a} {a,b {a..b} '{a,b}' \\{a,b} ${VERSION}{,x}",
          "x <{}> <{a}> <{a,b> <{a..b}> <{a,b}> <{a,b}> 1.2.3 1.2.3x\n");
    reads("a=1 a1=2; x $a{1,-} \"$a\"{1,-} ${a}{1,-}", "a=<1> a1=<2>\nx 2 1- 11 1- 11 1-\n");
    reads("v={a,b}; x $v", "v=<{a,b}>\nx <{a,b}>\n");
    reads("sh -c 'x {a,b}'; bash -c 'x {a,b}'",
          "sh -c <x {a,b}>\n>0.2s x <{a,b}>\nbash -c <x {a,b}>\n>2.2s x a b\n");
}

static void test_several_values(void **state)
{
    (void)state;
    reads("for p in a \"b c\"; do x $p \"$p-1\"; done", "L x a +<b> +<c> a-1 +<b c-1>\n");
    reads("for a in 1 2; do for b in 3 4; do x $a$b; done; done", "L x 13 +<23> +<14> +<24>\n");
    reads("for a in $(ls) b; do x $a; done", "a ls\nL x ?<$(ls)> +<b>\n");
    reads("for a in $NOPE; do x $a; done", "C L x ?<$NOPE>\n");
    reads("if t; then v=1; elif u; then v=2; else v=3; fi; x $v",
          "t\nC v=<1>\nC u\nC v=<2>\nC v=<3>\nx 1 +<2> +<3>\n");
    reads("v=0; if t; then v=1; fi; x $v", "v=<0>\nt\nC v=<1>\nx 1 +<0>\n");
    reads("if t; then v=-k; fi; x $v", "t\nC v=<-k>\nx -k ?+<${v}>\n");
    reads("case $a in b) v=1;; c) v=2;; *) exit 1;; esac; x $v", "C v=<1>\nC v=<2>\nC exit 1\nx 1 +<2>\n");
    reads("[ -n \"$a\" ] && v=1 || v=2; x $v", "[ -n ?<$a> ]\nC v=<1>\nC v=<2>\nx 1 +<2>\n");
    reads("t || { v=1; exit 1; }; x $v", "t\nC v=<1>\nC exit 1\nx ?<$v>\n");
    reads("p=(a 'b c'); p+=(d); x \"${p[@]}\" ${p[0]} $p", "p=<a b c>\np=<d>\nx a <b c> d a a\n");
    reads("x \"${p[@]}\"", "x ?<${p[@]}>\n");
    reads("declare -a p=(a b); x ${p[*]}", "p=<a b> declare -a\nx a b\n");
}

static void test_structure(void **state)
{
    (void)state;
    reads("a && b || c; d", "a\nC b\nC c\nd\n");
    reads("a && b && c", "a\nb\nc\n");
    reads("a || true; b || echo x; c || d", "I a\nC true\nI b\nC echo x\nc\nC d\n");
    reads("a && b || :", "I a\nC I b\nC :\n");
    reads("[ -f x ] && a; b", "[ -f x ]\nC a\nb\n");
    reads("[ -f x ] && a", "[ -f x ]\na\n");
    reads("if a; then b; else c; fi", "a\nC b\nC c\n");
    reads("while a; do b; done; until c; do d; done", "L a\nC L b\nL c\nC L d\n");
    reads("case x in a) b;; esac", "C b\n");
    reads("f() { a; }; f b", "F a\nf b\n");
    reads("f() { v=1; local w=2; }; f; x $v $w", "F v=<1>\nF local w=2\nf\nx 1 ?<$w>\n");
    reads("a & b", "I a\nb\n");
    reads("[[ -f a && $NOPE == b* ]] && c", "[[ -f a && ?<$NOPE> == b*\nc\n");
    reads("((x = 1)); a", "(( <x = 1>\na\n");
}

static void test_pipelines(void **state)
{
    (void)state;
    reads("a | b | c", "0| a\n|1| b\n|2 c\n");
    reads("(a; b | c) | d", "0| a\n0| b\n|1| c\n|2 d\n");
    reads("a | { b; c; }", "0| a\n|1 b\n|1 c\n");
    reads("a | while read x; do b; done", "0| a\nL |1 read x\nC L |1 b\n");
    reads("! a | b", "0| a\n|1 b\n");
    reads("a |& b", "0| a\n|1 b\n");
    reads("a | sh -c 'b | c'", "0| a\n|1 sh -c <b | c>\n>1.2s |1| b\n>1.2s |2 c\n");
}

static void test_pipeline_numbers(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_sh_reading reading;

    (void)state;
    read_it("a | b; c $(d | e)", arena, &reading);
    assert_int_equal(reading.count, 5);
    assert_int_equal(reading.commands[0].pipeline, reading.commands[1].pipeline);
    assert_int_not_equal(reading.commands[0].pipeline, reading.commands[2].pipeline);
    assert_int_equal(reading.commands[3].pipeline, reading.commands[4].pipeline);
    assert_int_not_equal(reading.commands[2].pipeline, reading.commands[3].pipeline);
}

static void test_substitutions(void **state)
{
    (void)state;
    reads("a $(b $(c))", "a ?<$(b $(c))>\n>0.1a b ?<$(c)>\n>1.1a c\n");
    reads("a \"x$(b)\" >$(c)", "a ?<x$(b)> {1> $(c)}\n>0.1a b\n>0.2a c\n");
    reads("a <(b | c) > >(d)", "a ?<<(b | c)> {1> >(d)}\n>0.1i 0| b\n>0.1i |1 c\n>0.2o d\n");
    reads("x=$(a) y=`b`", "x=?<$(a)> y=?<`b`>\na~x a\na~y b\n");
    reads("for i in $(a); do b; done", "a a\nC L b\n");
    reads("case $(a) in b) c;; esac", "a a\nC c\n");
    reads("a ${x:-$(b)} $((c + $(d)))", "a ?<${x:-$(b)}> ?<$((c + $(d)))>\n>0.1a b\n>0.2a d\n");
    reads("cat <<E\n$(a)\nE", "cat {0<< $(a)\n}\n>0.1a a\n");
    reads("x=(a $(b))", "x=?<a $(b)>\na~x b\n");
}

static void test_directory(void **state)
{
    (void)state;
    reads("cd /tmp && a; cd b/../c; d; cd ..; e",
          "cd /tmp\n(/tmp) a\n(/tmp) cd b/../c\n(/tmp/c) d\n(/tmp/c) cd ..\n"
          "(/tmp) e\n");
    reads("(cd /tmp; a); b", "cd /tmp\n(/tmp) a\nb\n");
    reads("cd $NOPE; a; cd x; b; cd /c; d", "cd ?<$NOPE>\n() a\n() cd x\n() b\n() cd /c\n(/c) d\n");
    reads("cd; a; cd -; b", "cd\n(/root) a\n(/root) cd -\n() b\n");
    reads("if t; then cd /tmp; fi; a", "t\nC cd /tmp\n() a\n");
    reads("cd sub; a", "cd sub\n(/w/sub) a\n");
}

static void test_files_of_compound_commands(void **state)
{
    (void)state;
    reads("{ a; b >g; } >f", "a {1> f}\nb {1> g}\n");
    reads("{ a | b; } >f 2>h", "0| a {2> h}\n|1 b {1> f} {2> h}\n");
    reads("while read x; do a; done <f", "L read x {0< f}\nC L a {0< f}\n");
    reads("sh -c 'a' >f", "sh -c a {1> f}\n>0.2s a {1> f}\n");
    reads("{ bash; } <<E\na\nE", "bash {0<< a\n}\n>0.1s a\n");
}

static void test_spans(void **state)
{
    static const char text[] = "a && curl -o \"x y\" $u; sh -c 'wget z' \"q\"";
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_sh_reading reading;
    const sb_sh_command *command;

    (void)state;
    read_it(text, arena, &reading);
    assert_int_equal(reading.count, 4);
    command = &reading.commands[1];
    assert_true(sb_slice_eqz(sb_slice_of(text + command->span.start, command->span.end - command->span.start),
                             "curl -o \"x y\" $u"));
    assert_memory_equal(text + command->args[2].span.start, "\"x y\"", 5);
    assert_true(command->args[2].quoted && !command->args[1].quoted);
    /* A text that stands in the outermost as it is has exact places. */
    command = &reading.commands[3];
    assert_true(sb_slice_eqz(sb_slice_of(text + command->span.start, command->span.end - command->span.start),
                             "wget z"));
    assert_memory_equal(text + command->args[1].span.start, "z", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_variables),
        cmocka_unit_test(test_operators),
        cmocka_unit_test(test_braces),
        cmocka_unit_test(test_several_values),
        cmocka_unit_test(test_structure),
        cmocka_unit_test(test_pipelines),
        cmocka_unit_test(test_pipeline_numbers),
        cmocka_unit_test(test_substitutions),
        cmocka_unit_test(test_directory),
        cmocka_unit_test(test_files_of_compound_commands),
        cmocka_unit_test(test_spans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
