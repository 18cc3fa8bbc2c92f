"""Creating a database, which no statement of a file can: its name is no parameter."""

from psycopg import errors, sql

from surf_data.errors import DatabaseError
from surf_data.kernel import validation
from surf_data.kernel.postgres import DatabaseManager

_MAINTENANCE = "postgres"


def create_database(database: DatabaseManager, name: str) -> bool:
    """Create a database on the server; return ``False`` if there is one of this name.

    Arguments:
        database: any database of the server; where it does not exist yet, connections go to ``postgres``.
        name: 1 to 63 of the characters a to z, 0 to 9 and _.

    Raises:
        ValidationError: the name is refused.
        DatabaseError: the server cannot be reached, or the role may not create databases.
    """
    name = validation.identifier("name", name)
    problem = "the database cannot be created"
    with database.connect(_MAINTENANCE) as connection:
        try:
            connection.execute(
                sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(sql.Identifier(name))
            )
        except errors.DuplicateDatabase:
            return False
        except errors.InsufficientPrivilege:
            problem = "the role may not create databases"
        except errors.Error as error:
            problem = f"{problem}: {type(error).__name__}"
        else:
            return True
    raise DatabaseError(problem)
