// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Filters;

namespace Veil.Core.Tests.Filters;

public sealed class FilterExpressionTests
{
    [Fact]
    public void Parse_CommasRepeatsAndDenials_AreOneSet()
    {
        var filter = FilterExpression.Parse(new PidDimension(), ["10,11", "!11", "12"]);

        filter.Bits.Select(static entry => ((int)entry.Key.Bits, entry.Value)).Order().ShouldBe(
            [(10, FilterBits.Allow), (11, FilterBits.Allow | FilterBits.Deny), (12, FilterBits.Allow)]);
    }

    [Theory]
    [InlineData("", "--pid: the value '' is empty; give a process id from 1 to 4194304, '!' before it denies")]
    [InlineData("!", "--pid: the value '!' is empty; give a process id from 1 to 4194304, '!' before it denies")]
    [InlineData("1,,2", "--pid: an entry of '1,,2' is empty; give a process id from 1 to 4194304, '!' before it denies")]
    [InlineData("0", "--pid: '0' is out of range (a process id from 1 to 4194304)")]
    [InlineData("4194305", "--pid: '4194305' is out of range (a process id from 1 to 4194304)")]
    [InlineData("99999999999", "--pid: '99999999999' is out of range (a process id from 1 to 4194304)")]
    [InlineData("99999999999999999999999", "--pid: '99999999999999999999999' is out of range (a process id from 1 to 4194304)")]
    [InlineData("1x", "--pid: '1x' is not a process id from 1 to 4194304")]
    [InlineData("\u001b[2J", @"--pid: '\x1b[2J' is not a process id from 1 to 4194304")]
    public void Parse_WrongPid_SaysWhatAndWhy(string value, string message) => Error(new PidDimension(), value).ShouldBe(message);

    [Fact]
    public void Parse_UserByNameOrNumber_IsTheSameKey() =>
        FilterExpression.Parse(new UidDimension(), ["root", "!0"]).Bits.ShouldHaveSingleItem().Value.ShouldBe(
            FilterBits.Allow | FilterBits.Deny);

    [Theory]
    [InlineData("rooot", "--uid: unknown user 'rooot'; did you mean 'root'?")]
    [InlineData("4294967295", "--uid: '4294967295' is out of range (a user name or an id from 0 to 4294967294)")]
    public void Parse_WrongUser_SaysWhatAndWhy(string value, string message) => Error(new UidDimension(), value).ShouldBe(message);

    [Fact]
    public void Parse_Name_IsItsBytesWithZerosBehind()
    {
        var key = FilterExpression.Parse(new NameDimension(), ["bß"]).Bits.ShouldHaveSingleItem().Key;

        key.Bits.ShouldBe((UInt128)0x9fc362);
        NameDimension.LengthOf(key).ShouldBe(3);
    }

    [Theory]
    [InlineData("sixteen-bytes-xx", "--name: 'sixteen-bytes-xx' is longer than a task name can be: the kernel keeps 15 bytes")]
    [InlineData("a\ufffd", "--name: 'a\ufffd' is not UTF-8")]
    [InlineData(
        "ngin*", "--name: 'ngin*' is a pattern, which --name does not take: the text is found in any part of a name; leave * and ? out")]
    [InlineData("?", "--name: '?' is a pattern, which --name does not take: the text is found in any part of a name; leave * and ? out")]
    public void Parse_WrongName_SaysWhatAndWhy(string value, string message) => Error(new NameDimension(), value).ShouldBe(message);

    [Fact]
    public void Parse_CommaOfAValue_IsEscaped() =>
        FilterExpression.Parse(new NameDimension(), [@"a\,b,c"]).Bits.Keys.Select(static key => key.Text).ShouldBe(["a,b", "c"]);

    [Fact]
    public void Warnings_OfManyAbsentProcesses_AreOneLine()
    {
        // Beyond what this kernel gives (pid_max) there is none.
        int first = int.Parse(File.ReadAllText("/proc/sys/kernel/pid_max"));
        var keys = Enumerable.Range(first, 4 * 1024 * 1024 - first + 1).Take(10_240)
            .Select(static pid => new FilterKey((UInt128)pid, pid.ToString())).ToList();
        var few = Enumerable.Range(0, 2).Select(static _ => 1).Select(static pid => new FilterKey((UInt128)pid, "1"));

        if (keys.Count > 6)
            new PidDimension().Warnings(keys)
                .ShouldBe(
                [$"no process has the id {first}, {first + 1}, {first + 2}, {first + 3}, {first + 4} or {keys.Count - 5} others now"]);
        new PidDimension().Warnings(few).ShouldBeEmpty();
    }

    [Fact]
    public void Parse_AsManyKeysAsAMapHolds_IsTheLimit()
    {
        var all = Enumerable.Range(1, FilterExpression.KeysMax).Select(static pid => pid.ToString());
        FilterExpression.Parse(new PidDimension(), all).Bits.Count.ShouldBe(10_240);

        Should.Throw<UsageException>(() => FilterExpression.Parse(new PidDimension(), all.Append("20000"))).Message
            .ShouldBe("--pid: 10241 keys, but a filter holds at most 10240");
    }

    private static string Error(FilterDimension dimension, string value) =>
        Should.Throw<UsageException>(() => FilterExpression.Parse(dimension, [value])).Message;
}
