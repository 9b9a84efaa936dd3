namespace Veil.Bpf;

/// <summary>What an update of a map may do.</summary>
public enum BpfUpdateMode
{
    /// <summary>Make the key or replace its value.</summary>
    Any = 0,

    /// <summary>Only make a key that is not there (EEXIST otherwise).</summary>
    NoExist = 1,

    /// <summary>Only replace the value of a key that is there (ENOENT otherwise).</summary>
    Exist = 2,
}
